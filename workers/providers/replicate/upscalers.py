"""Larger pictures by Real-ESRGAN, and restored faces by GFPGAN."""

from decimal import Decimal

from shared.catalog import ModelCard
from workers.providers.replicate.model import T4, Files, Given, Input, ReplicateModel, given_only

_FACES_VERSION = "v1.4"
"""Of GFPGAN's own model: a parameter of its input, not the version of what Replicate runs."""


def _real_esrgan(given: Given, files: Files) -> Input:
    fixed = {"scale": given.get("scale") or 4, "face_enhance": bool(given.get("face_restore"))}
    return {**fixed, **given_only(image=files.get("image"))}


def _gfpgan(given: Given, files: Files) -> Input:
    fixed = {"scale": given.get("scale") or 2, "version": _FACES_VERSION}
    return {**fixed, **given_only(img=files.get("image"))}


UPSCALE_MODELS = (
    ReplicateModel(
        ModelCard(
            provider="replicate",
            model="real-esrgan",
            kind="upscale",
            label="Real-ESRGAN",
            description="Pictures up to eight times wider and higher, with sharper faces if asked.",
            accepts=frozenset({"image", "scale", "face_restore", "format"}),
            limits={"format": {"enum": ["png"]}},
            price=T4,
            typical_units={"compute_second": Decimal(12)},
            expected_s=25.0,
            rank=50,
            licence="BSD-3-Clause",
            on_unknown="retry",
        ),
        "nightmareai/real-esrgan",
        _real_esrgan,
        version="f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa",
        file_fields=frozenset({"image"}),
        seeded=False,
    ),
    ReplicateModel(
        ModelCard(
            provider="replicate",
            model="gfpgan",
            kind="upscale",
            label="GFPGAN",
            description="Restores faces in old or generated pictures, and enlarges them.",
            accepts=frozenset({"image", "scale", "face_restore", "format"}),
            limits={"scale": {"maximum": 4}, "format": {"enum": ["png"]}},
            price=T4,
            typical_units={"compute_second": Decimal(6)},
            expected_s=10.0,
            rank=51,
            licence="Apache-2.0; its face data sets have terms of their own",
            on_unknown="retry",
        ),
        "tencentarc/gfpgan",
        _gfpgan,
        version="9283608cc6b7be6b65a8e44983db012355fde4132009bf99d976b2f0896856a3",
        file_fields=frozenset({"img"}),
        seeded=False,
    ),
)
