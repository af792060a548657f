"""What to type when something is wrong, by the kind of error.

The table is looked up from the class of an error to its base classes; the first entry
is printed after the message.
"""

from .. import errors

ADVICE: dict[type[errors.UserError], str] = {
    errors.SettingError: 'Change settings with --cfg-options NAME=VALUE',
    errors.ClassCountError: "Give the checkpoint's own classes with --classes",
    errors.ClassNamesError: 'Give their names in order with --classes',
    errors.NotResumableError: 'Start from its weights with --cfg-options '
                              'load_from=FILE',
    errors.NoResumableCheckpointError: 'Start anew in another --work-dir',
    errors.CannotWriteError: 'Make room, then continue from the last checkpoint with '
                             '--resume',
    errors.BrokenSamplesError: 'frcnn check-dataset names everything that is wrong '
                               'with a data set',
    errors.WeightsError: 'Give a file with --pretrained FILE, or train from scratch '
                         'with --from-scratch',
}


def message_of(error: errors.UserError) -> str:
    """What is wrong and what to type to mend it, in one line."""
    kind = type(error)
    # an error of a loader's worker arrives with its traceback as message
    line = str(error).strip().splitlines()[-1].removeprefix(
        f'{kind.__module__}.{kind.__qualname__}: ')
    advice = [ADVICE[base] for base in kind.__mro__ if base in ADVICE]
    return f'{line}. {advice[0]}' if advice else line
