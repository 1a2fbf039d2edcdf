"""Names of files of which there is one for each epoch."""

import hashlib
from pathlib import Path
from urllib.parse import quote

from ..algorithm.epoch_id import EpochId

__all__ = ["epoch_path"]

#: Letters of an id in the name of a file; file systems take 255 bytes for the whole of it.
_MOST = 150


def epoch_path(folder: Path, stem: str, epoch: EpochId, ending: str) -> Path:
    """Return where the file of an epoch is, another one for each id.

    Parameters
    ----------
    folder : Path
    stem, ending : str
        What the name begins and ends with.
    epoch : int or str
        Its id. It may be any text, but the file stays within the folder, and no
        letter that a file system refuses or takes for a pattern is in its name.
        An id that is too long for a name is cut, and told from others by a
        digest of it.
    """
    text = quote(str(epoch), safe=" ")
    if len(text) > _MOST:
        digest = hashlib.sha256(str(epoch).encode()).hexdigest()[:16]
        # A plus sign is quoted in ids, so that no other id has this name.
        text = f"{text[: _MOST - 17]}+{digest}"
    return folder / f"{stem}_{text}{ending}"
