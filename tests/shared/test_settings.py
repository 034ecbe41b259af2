from pathlib import Path

from shared.settings import Settings

FOR_TESTS = {"CHEAP_PASSWORDS", "PENSTOCK_CRASH_POINT"}


def test_the_handbook_names_every_setting() -> None:
    handbook = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    names = {str(field.validation_alias or name.upper()) for name, field in Settings.model_fields.items()}
    assert {name for name in names if f"`{name}`" not in handbook} == FOR_TESTS
