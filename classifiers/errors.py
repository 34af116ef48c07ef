"""What can go wrong with models and their data.

    ClassifierError
    ├── ArtifactError      a model directory is missing, damaged, or made for something else
    ├── BaseWeightsError   the base weights are missing or are not the pinned ones
    ├── CorpusError        a line of a labelled file cannot be used; says which
    ├── TrainingError      the examples do not suffice to train and calibrate a model
    └── EngineError        the runtime asked for is not installed

Messages are for people: what is wrong, where, and what to do.
"""

from __future__ import annotations


class ClassifierError(Exception):
    """Base of the tree; never raised itself."""


class ArtifactError(ClassifierError):
    """The model directory cannot be used."""


class BaseWeightsError(ClassifierError):
    """The weights that every model starts from cannot be used."""


class CorpusError(ClassifierError):
    """A file of examples cannot be used."""


class TrainingError(ClassifierError):
    """These examples cannot train a model."""


class EngineError(ClassifierError):
    """What should compute the model is not installed."""
