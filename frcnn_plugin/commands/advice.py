"""What to type when something is wrong, by the kind of error.

The table is looked up from the class of an error to its base classes; the first entry
is printed after the message.
"""

from .. import errors

ADVICE: dict[type[errors.UserError], str] = {
    errors.SettingError: 'Change settings with --cfg-options NAME=VALUE',
    errors.ClassCountError: "Give the checkpoint's own classes with --classes",
    errors.ClassNamesError: 'Give their names in order with --classes',
    errors.WeightsError: 'Give a file with --pretrained FILE, or train from scratch '
                         'with --from-scratch',
}


def advice_for(error: errors.UserError) -> str:
    """What to do about an error, or nothing."""
    return next((ADVICE[kind] for kind in type(error).__mro__ if kind in ADVICE), '')
