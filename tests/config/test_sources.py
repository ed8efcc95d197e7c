"""Options, environment, file and defaults merged, and their error texts word by word."""

from pathlib import Path

import pytest

from resnet_inspect.config import FIELDS, Settings, resolve
from resnet_inspect.config.settings import Tutorial
from resnet_inspect.errors import ConfigError

NAMES = (
    "target, input, set, signature, tf1, n, ver, filters, classes, mean_axes, bn_axis, batch_norm, "
    "stem_bn, mode, checkpoint, optimizer, learning_rate, momentum, weight_decay, update_ops, "
    "data, raw, batch_size, steps, evaluate, every, record, taps, gradients, sample, seed, device"
)


def write(folder: Path, text: str) -> Path:
    file = folder / "trace.toml"
    file.write_text(text, encoding="utf-8")
    return file


def file_error(file: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        resolve({}, {}, file)
    return caught.value


def test_nothing_given_is_all_defaults() -> None:
    resolved = resolve({}, {"HOME": "/", "RESNET": "1"}, None)
    assert resolved.settings == Settings()
    assert resolved.origins == {field.name: "default" for field in FIELDS}


def test_flags_beat_environment_beats_file_beats_defaults(tmp_path: Path) -> None:
    file = write(tmp_path, "n = 1\nsteps = 1\nseed = 1\nmean_axes = [-1]\nraw = true\n")
    environment = {"RESNET_INSPECT_STEPS": "2", "RESNET_INSPECT_SEED": "2", "OTHER": "x"}
    resolved = resolve({"seed": "3", "raw": False}, environment, file)
    assert resolved.settings == Settings(
        subject=Tutorial(n=1, mean_axes=(-1,), raw=False), steps=2, seed=3
    )
    origins = {name: at for name, at in resolved.origins.items() if at != "default"}
    assert origins == {
        "n": str(file),
        "mean_axes": str(file),
        "steps": "RESNET_INSPECT_STEPS",
        "seed": "flag --seed",
        "raw": "flag --raw",
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("raw", "YES", True),
        ("raw", "1", True),
        ("raw", "on", True),
        ("update_ops", "off", False),
        ("update_ops", "0", False),
        ("update_ops", "No", False),
        ("mean_axes", "1,-1", (1, -1)),
        ("mean_axes", " 1, 2", (1, 2)),
        ("learning_rate", "none", None),
        ("learning_rate", "1e-3", 0.001),
        ("learning_rate", "1", 1.0),
        ("checkpoint", "", None),
        ("n", "3", 3),
        ("data", "npz:a:b.npz", "npz:a:b.npz"),
    ],
)
def test_texts(name: str, text: str, value: object) -> None:
    by_flag = resolve({name: text}, {}, None).settings
    by_variable = resolve({}, {f"RESNET_INSPECT_{name.upper()}": text}, None).settings
    assert by_flag.values()[name] == value
    assert by_variable == by_flag


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n", "0"),
        ("n", "5.0"),
        ("n", "five"),
        ("n", ""),
        ("n", "9" * 5000),
        ("raw", "maybe"),
        ("raw", ""),
        ("mean_axes", ""),
        ("mean_axes", "1,,2"),
        ("mean_axes", "1,-3"),
        ("learning_rate", "nan"),
        ("learning_rate", "1e999"),
        ("momentum", "none"),
        ("device", "CPU"),
    ],
)
def test_wrong_texts(name: str, text: str) -> None:
    field = next(field for field in FIELDS if field.name == name)
    for flags, environment, where in (
        ({name: text}, {}, f"flag {field.flag}"),
        ({}, {field.variable: text}, f"environment, {field.variable}"),
    ):
        with pytest.raises(ConfigError) as caught:
            resolve(flags, environment, None)
        assert caught.value.what == f"invalid value for setting '{name}'"
        assert (caught.value.where, caught.value.exit_code) == (where, 2)


def test_wrong_flag_in_full() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve({"batch_size": "many"}, {}, None)
    assert str(caught.value) == (
        "invalid value for setting 'batch_size'\n"
        "  where:    flag --batch-size\n"
        "  expected: an integer of at least 1\n"
        "  got:      many\n"
        "  do:       set batch_size to an integer of at least 1"
    )


def test_wrong_value_in_a_file_in_full(tmp_path: Path) -> None:
    file = write(tmp_path, "mean_axes = [1, -3]\n")
    assert str(file_error(file)) == (
        "invalid value for setting 'mean_axes'\n"
        f"  where:    {file}, key mean_axes\n"
        "  expected: distinct axes of an image batch, each from -4 to 3, such as 1,2\n"
        "  got:      [1, -3] (list)\n"
        "  do:       set mean_axes to distinct axes of an image batch, each from -4 to 3, "
        "such as 1,2"
    )


def test_unknown_names_in_full(tmp_path: Path) -> None:
    file = write(tmp_path, "batchsize = 3\n")
    text = (
        "unknown setting 'batchsize'\n"
        "  where:    {where}\n"
        f"  expected: one of {NAMES}\n"
        "  got:      batchsize\n"
        "  do:       did you mean 'batch_size'?"
    )
    assert str(file_error(file)) == text.format(where=file)
    with pytest.raises(ConfigError) as caught:
        resolve({}, {"RESNET_INSPECT_BATCHSIZE": "3"}, None)
    assert str(caught.value) == text.format(where="environment, RESNET_INSPECT_BATCHSIZE")
    with pytest.raises(ConfigError) as caught:
        resolve({"batchsize": "3"}, {}, None)
    assert str(caught.value) == text.format(where="command line")


def test_a_name_near_to_none() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.of({"xyzzy": 1})
    assert (caught.value.where, caught.value.got) == ("trace()", "xyzzy")
    assert caught.value.fix == "remove it, or correct the name"


def test_a_table_is_no_setting(tmp_path: Path) -> None:
    error = file_error(write(tmp_path, "[model]\nn = 3\n"))
    assert (error.what, error.got) == ("unknown setting 'model'", "model")


@pytest.mark.parametrize("text", ["n = \n", "n = 3\nn = 4\n", "just words", "raw = True"])
def test_broken_toml(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    error = file_error(file)
    assert str(error) == (
        "the configuration file is not valid TOML\n"
        f"  where:    {file}\n"
        "  expected: lines of the form: name = value\n"
        f"  got:      {error.got}\n"
        "  do:       correct the line; list all names: resnet-inspect config show"
    )
    assert "line" in error.got


def test_a_number_too_long_to_read(tmp_path: Path) -> None:
    assert file_error(write(tmp_path, "n = " + "1" * 5000)).where == f"{tmp_path}/trace.toml"


def test_binary_file(tmp_path: Path) -> None:
    file = tmp_path / "trace.toml"
    file.write_bytes(b"n = 3\n\xff\xfe\x00")
    assert str(file_error(file)) == (
        "the configuration file is not text\n"
        f"  where:    {file}\n"
        "  expected: a TOML file in UTF-8\n"
        "  got:      a byte that is not UTF-8 at position 6\n"
        "  do:       use a .toml file; sample_configs/ has examples"
    )


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path, got in ((tmp_path / "a.toml", "No such file or directory"), (tmp_path, "Is a dir")):
        error = file_error(path)
        assert str(error) == (
            "the configuration file cannot be read\n"
            f"  where:    {path}\n"
            f"  got:      {error.got}\n"
            "  do:       check the path; sample_configs/ has examples"
        )
        assert error.got.startswith(got)
