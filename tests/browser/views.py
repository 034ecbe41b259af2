"""What there is to look at in the studio: all that has an address, and how to get it into what state."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playwright.async_api import Page

from tests.browser.settled import settled


@dataclass(frozen=True, slots=True)
class View:
    """What `press` names is pressed, one after another: buttons, and items of menus by the beginning of their names.

    `field: words` types words, a single letter is a key, as is what is held down with Control. `#name` brings a
    region into sight.
    """

    name: str
    path: str
    press: Sequence[str] = ()


def views(ids: Sequence[str]) -> list[View]:
    """All that has an address. The first id is a picture's, the ninth a voice's, the eleventh music's."""
    return [
        *(View(f"create-{kind}", f"/studio/create/{kind}")
          for kind in ("image", "audio", "music", "video", "upscale", "text")),
        View("jobs", "/studio/jobs"),
        View("gallery", "/studio/gallery"),
        View("history", "/studio/history"),
        View("favourites", "/studio/favourites"),
        View("generation-image", f"/studio/generations/{ids[0]}"),
        View("generation-audio", f"/studio/generations/{ids[8]}"),
        View("generation-music", f"/studio/generations/{ids[10]}"),
        View("generation-text", f"/studio/generations/{ids[12]}"),
        View("generation-video", f"/studio/generations/{ids[13]}"),
        View("compare", f"/studio/compare?a={ids[0]}&b={ids[1]}"),
        View("projects", "/studio/projects"),
        View("analytics", "/studio/analytics"),
        *(View(f"settings-{tab}", f"/studio/settings/{tab}")
          for tab in ("api-keys", "providers", "budgets", "webhooks", "profile", "sessions", "appearance",
                      "storage", "people")),
        View("login", "/studio/login"),
        View("signup", "/studio/signup"),
        *(View(f"ops-{tab}", f"/ops/{tab}")
          for tab in ("queues", "workers", "providers", "jobs", "failures", "audit", "system")),
        View("ops-job", f"/ops/jobs/{ids[0]}"),
    ]  # fmt: skip


def empty() -> list[View]:
    """Where somebody is who has made nothing yet."""
    return [
        View("create-empty", "/studio/create/image"),
        *(View(f"{name}-empty", f"/studio/{name}")
          for name in ("jobs", "gallery", "history", "favourites", "trash", "projects", "analytics")),
        View("compare-empty", "/studio/compare"),
        *(View(f"settings-{tab}-empty", f"/studio/settings/{tab}") for tab in ("api-keys", "budgets", "webhooks")),
        View("ops-queues-empty", "/ops/queues"),
        View("ops-jobs-empty", "/ops/jobs"),
    ]  # fmt: skip


def door() -> list[View]:
    """Of an installation where everybody signs in."""
    return [
        View("login-required", "/studio/login"),
        View(
            "login-refused", "/studio/login", ("E-mail address: a@example.org", "Password: wrong", "Sign in")
        ),
        View("signup-required", "/studio/signup"),
        View("signup-refused", "/studio/signup", ("Make the account",)),
    ]


def states(first: Sequence[str], ids: Mapping[str, str]) -> list[View]:
    """What views are like when something is asked of them, or went wrong."""
    create, settings, projects = "/studio/create", "/studio/settings", "/studio/projects"
    gallery, made = "/studio/gallery", f"/studio/generations/{first[0]}"
    return [
        View("create-shown-image", f"{create}/image?show={first[0]}", ("#Preview",)),
        View("create-shown-long", f"{create}/image?show={ids['long']}", ("#Preview",)),
        View("create-shown-audio", f"{create}/audio?show={first[8]}", ("#Preview",)),
        View("create-shown-music", f"{create}/music?show={first[10]}", ("#Preview",)),
        View("create-shown-text", f"{create}/text?show={first[12]}", ("#Preview",)),
        View("create-shown-video", f"{create}/video?show={first[13]}", ("#Preview",)),
        View("create-running", f"{create}/image?show={ids['running']}", ("#Preview",)),
        View("create-waiting", f"{create}/video?show={ids['waiting']}", ("#Preview",)),
        View("create-failed", f"{create}/image?show={ids['failed']}", ("#Preview",)),
        View("create-gallery", f"{create}/image?panel=gallery", ("#Preview",)),
        View("create-history", f"{create}/image?panel=history", ("#Preview",)),
        View("create-models", f"{create}/image", ("Model",)),
        View("create-settings", f"{create}/image", ("Settings of this form",)),
        View("jobs-running", "/studio/jobs"),
        View("gallery-details", gallery, ("Picture:",)),
        View("gallery-filters", gallery, ("Filters",)),
        View("gallery-marked", gallery, ("Control+a",)),
        View("trash", "/studio/trash"),
        View("viewer", made, ("Full screen",)),
        View("viewer-details", made, ("Full screen", "i")),
        View("message", made, ("c",)),
        View("generation-failed", f"/studio/generations/{ids['failed']}"),
        View("generation-long", f"/studio/generations/{ids['long']}"),
        View("generation-running", f"/studio/generations/{ids['running']}"),
        View("history-all", "/studio/history"),
        View("compare-sounds", f"/studio/compare?a={first[8]}&b={first[9]}"),
        View("projects-long", projects),
        *(View(f"project-{tab}", f"{projects}/{ids['project']}/{tab}")
          for tab in ("assets", "generate", "analytics")),
        View("menu-account", gallery, ("Account",)),
        View("menu-use", made, ("Reuse its settings",)),
        View("menu-more", made, ("More",)),
        View("dialog-share", made, ("More", "Share a link that ends", "Make the link")),
        View("dialog-tag", gallery, ("Control+a", "Tag")),
        View("dialog-project", projects, ("New project",)),
        View("dialog-project-delete", projects, ("Actions for Spring", "Delete")),
        View("dialog-project-discard", projects, ("New project", "Name: Half a name", "Close")),
        View("dialog-key", f"{settings}/api-keys", ("New key",)),
        View("dialog-key-made", f"{settings}/api-keys", ("New key", "Name: a key", "Create the key")),
        View("dialog-key-rotate", f"{settings}/api-keys", ("Rotate",)),
        View("dialog-key-revoke", f"{settings}/api-keys", ("Revoke",)),
        View("dialog-provider-key", f"{settings}/providers", ("Add a key",)),
        View("dialog-budget", f"{settings}/budgets", ("New budget",)),
        View("dialog-endpoint", f"{settings}/webhooks", ("New endpoint",)),
        View("settings-api-keys-some", f"{settings}/api-keys"),
        View("settings-webhooks-some", f"{settings}/webhooks"),
        View("ops-queues-paused", "/ops/queues"),
        View("ops-failures-some", "/ops/failures"),
        View("ops-jobs-some", "/ops/jobs"),
        View("ops-job-failed", f"/ops/jobs/{ids['failed']}"),
        View("ops-audit-details", "/ops/audit", ("Show details of",)),
        View("dialog-pause", "/ops/queues", ("Pause Text",)),
        View("dialog-drain", "/ops/queues", ("Drain Text",)),
        View("dialog-purge", "/ops/queues", ("Purge Video",)),
        View("dialog-cool-down", "/ops/providers", ("Cool down",)),
        View("dialog-retry-all", "/ops/failures", ("Retry all",)),
        View("dialog-discard", "/ops/failures", ("Discard",)),
        View("dialog-cancel-jobs", "/ops/jobs?kind=video&status=queued", ("Cancel",)),
        View("keyboard", gallery, ("?",)),
        View("not-found", "/studio/nowhere"),
        View("ops-not-found", "/ops/nowhere"),
    ]  # fmt: skip


def alerted() -> list[View]:
    return [
        View("budget-alert", "/studio/create/image"),
        View("settings-budgets-alert", "/studio/settings/budgets"),
    ]


async def show(page: Page, view: View, url: str = "") -> None:
    """Goes there, does what its state needs, and returns when all of it is in sight."""
    await page.goto(url + view.path)
    await settled(page)
    for words in view.press:
        await _press(page, words)
    if view.press:
        await settled(page)


async def _press(page: Page, words: str) -> None:
    field, _, text = words.partition(": ")
    if text:
        await page.get_by_label(field, exact=True).first.fill(text)
    elif words.startswith("#"):
        await page.get_by_role("region", name=words[1:]).evaluate("(region) => region.scrollIntoView()")
    elif len(words) == 1 or words.startswith("Control+"):
        await page.keyboard.press(words)
    else:
        named = re.compile(f"^{re.escape(words)}")
        button = page.get_by_role("button", name=named).or_(page.get_by_role("menuitem", name=named))
        await button.first.click()
