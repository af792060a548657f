"""Errors that the user can fix."""


class UserError(Exception):
    """Something is wrong with what the user gave.

    The message is one line: what is wrong and in which file. Only ``commands/``
    knows what to type to fix it, and adds that by the class of the error. Each class is
    made from one string, so that an error survives the way out of a worker process.
    """


class ConfigError(UserError):
    """A config is missing, cannot be read, or does not fit together."""


class SettingError(ConfigError):
    """A single setting of a config has to be changed."""


class CheckpointError(UserError):
    """A checkpoint is missing, damaged, refused, or of a different model."""


class ClassCountError(CheckpointError):
    """A checkpoint and the config differ in their number of classes."""


class ClassNamesError(CheckpointError):
    """A checkpoint does not name its classes."""


class NotResumableError(CheckpointError):
    """A checkpoint holds weights, but not the state of a run."""


class NoResumableCheckpointError(CheckpointError):
    """A run left checkpoints, and training can resume from none of them."""


class CannotWriteError(UserError):
    """A file cannot be written: the disk is full, or a quota is used up."""


class UnfinishedError(UserError):
    """Results of a run that was not finished would be lost."""


class CannotContinueError(UserError):
    """Results are there that a run cannot go on with."""


class NonFiniteLossError(SettingError):
    """A loss became NaN or infinite; other settings may keep it finite."""


class WeightsError(UserError):
    """Pretrained weights cannot be obtained or do not fit."""


class WeightsUnreachableError(WeightsError):
    """Pretrained weights are elsewhere on the network and could not be fetched."""


class DetectorFileError(UserError):
    """An exported detector is missing, damaged, or the file of another program."""


class MixedPrecisionError(UserError):
    """The device has no instructions for mixed precision."""


class NoTrainingPackagesError(UserError):
    """What trains detectors, and runs their checkpoints, is not installed."""


class NoRuntimeError(UserError):
    """What runs exported detectors is not installed."""


class DataError(UserError):
    """A data set is missing, broken, or not what the config asks for."""


class DataRootError(DataError):
    """The folder of a data set is missing or has the wrong layout."""


class FoldersError(DataRootError):
    """Other folders of the data root have to be chosen."""


class ImagesFolderError(DataError):
    """The folder of the images of an annotation file has to be given."""


class SplitError(DataError):
    """A split file is missing, empty or broken."""


class OtherSplitError(SplitError):
    """A split is missing where there are others."""


class ClassesError(DataError):
    """The annotations have other classes than the config asks for."""


class TurnedPicturesError(DataError):
    """Boxes are of pictures as they are stored, and training would see them turned."""


class BrokenSamplesError(DataError):
    """Too many samples of a data set cannot be loaded."""


class ProposalsError(DataError):
    """A file of proposals is missing, damaged, or of other images."""


class ProposalsExistError(DataError):
    """Proposals that would be replaced, or mixed with those of other settings."""


class NoSelectiveSearchError(UserError):
    """OpenCV is built without selective search."""


class OutputExistsError(UserError):
    """What is to be written exists already with other content."""
