"""What to type when something is wrong, by the kind of error.

The table is looked up from the class of an error to its base classes; the first entry
is printed after the message.
"""

from .. import errors

ADVICE: dict[type[errors.UserError], str] = {
    errors.SettingError: 'Change settings with --cfg-options NAME=VALUE',
    errors.ClassCountError: "Give the checkpoint's own classes with --classes",
    errors.ClassNamesError: 'Give their names in order with --classes',
    errors.DataRootError: 'Give the folder with --data-root DIR',
    errors.FoldersError: 'Choose with `folders` of the dataset in the config, or with '
                         '--folders NAME ...',
    errors.ImagesFolderError: 'Give the folder of the images with --images DIR',
    errors.OtherSplitError: 'Choose one with --split NAME; in training with '
                            '--cfg-options train_dataloader.dataset.split=NAME '
                            'val_dataloader.dataset.split=NAME',
    errors.MixedPrecisionError: 'Leave out --amp',
    errors.NoTrainingPackagesError: 'pip install "frcnn-plugin[lite]" installs it',
    errors.NoRuntimeError: 'pip install "frcnn-plugin[runtime]" installs it',
    errors.DetectorFileError: 'frcnn export CHECKPOINT --to openvino writes one',
    errors.ClassesError: 'Name yours with --classes NAME ...',
    errors.ProposalsError: 'Make the file with frcnn make-proposals --data-root DIR '
                           '--split NAME ... --out FILE.npz',
    errors.ProposalsExistError: 'Start again with --overwrite, or write another file '
                                'with --out FILE.npz',
    errors.NoSelectiveSearchError: 'Replace it by the contrib build of that version: '
                                   'pip install --force-reinstall --no-deps '
                                   'opencv-contrib-python-headless==VERSION',
    errors.OutputExistsError: 'Write to an empty folder with -o DIR, or another split '
                              'with --name SPLIT',
    errors.NotResumableError: 'Start from its weights with --cfg-options '
                              'load_from=FILE',
    errors.NoResumableCheckpointError: 'Start over in another --work-dir',
    errors.CannotWriteError: 'Free some space, then continue with --resume',
    errors.UnfinishedError: 'Continue it with --resume, or choose another folder '
                            'with -o DIR',
    errors.CannotContinueError: 'Leave out --resume and choose another folder with '
                                '-o DIR',
    errors.TurnedPicturesError: 'frcnn prepare DIR -o OUT writes a data set with '
                                'the boxes turned',
    errors.BrokenSamplesError: 'frcnn check-dataset names everything that is wrong '
                               'with a data set',
    errors.WeightsError: 'Give a file with --pretrained FILE, or train from scratch '
                         'with --from-scratch',
}


def message_of(error: errors.UserError) -> str:
    """What is wrong and what to type to fix it, in one line."""
    kind = type(error)
    # an error of a loader's worker arrives with its traceback as message
    line = str(error).strip().splitlines()[-1].removeprefix(
        f'{kind.__module__}.{kind.__qualname__}: ')
    advice = [ADVICE[base] for base in kind.__mro__ if base in ADVICE]
    return f'{line}. {advice[0]}' if advice else line
