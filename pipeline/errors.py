"""The error tree, cut by what the operator must do.

Holds: every exception that Winnow raises on purpose. Reads and writes nothing.
Not here: translation of library errors (see `storage/s3.py`), retry rules
(see `plugins/winnow_airflow/policies.py`).

WinnowError
├── TransientError            wait and try again; nothing to mend
│   ├── NotReadyError         a dump is still being uploaded
│   └── ConflictError         another writer was faster; read again, then decide
└── PermanentError            trying again gives the same; a person must act
    ├── InputError            the dump (or a file of the user) cannot be taken as it is
    │   └── ChangedError      an object is not the one that the plan froze
    ├── ConfigError           a setting is missing, unknown or contradictory
    ├── MissingError          an object that must exist does not
    ├── CorruptError          stored bytes differ from their recorded checksum
    ├── ContractError         a promise would be broken; nothing was published
    └── GuardError            a night looks unusual; nothing was published until it is accepted

Every message says what was expected, what was found, and the next step.
"""


class WinnowError(Exception):
    """Root of the tree: catch this to catch everything Winnow raises on purpose."""


class TransientError(WinnowError):
    """The same call may succeed later. Airflow retries these with backoff."""


class NotReadyError(TransientError):
    """A dump is still being uploaded; the next try lists it again."""


class ConflictError(TransientError):
    """A conditional write lost: somebody else wrote the object meanwhile."""


class PermanentError(WinnowError):
    """Trying again gives the same result. Airflow fails these at once."""


class InputError(PermanentError):
    """The input cannot be taken as it is."""


class ChangedError(InputError):
    """An object is no longer the one that the plan froze (another ETag). Plan again."""


class ConfigError(PermanentError):
    """A setting is missing, unknown, or contradicts another."""


class MissingError(PermanentError):
    """An object that must exist does not."""


class CorruptError(PermanentError):
    """Stored bytes differ from the checksum recorded when they were written."""


class ContractError(PermanentError):
    """A promise of the corpus would be broken; publishing was refused."""


class GuardError(PermanentError):
    """A guard stopped a night that looks unusual; a person looks, and may accept it."""
