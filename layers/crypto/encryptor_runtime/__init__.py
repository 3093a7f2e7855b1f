"""What the functions share, around the library ``item_crypto``: their environment, the switch, queues, telemetry.

``runtime.compose`` puts a function's parts together. Nothing here knows a function, and nothing in ``item_crypto``
knows of this package.
"""

from pathlib import Path

from encryptor_runtime.architecture import check_architecture

# The one work at import: what is wrong with the layer's binaries shows at the first import of one of them, in words
# that do not say so.
check_architecture(Path(__file__).parents[1])
