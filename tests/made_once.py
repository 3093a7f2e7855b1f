"""What botocore and moto make anew for every test though it never differs, made once a process: half of all time.

- botocore reads the models of its services, megabytes of JSON, for each session, and moto begins a new one each time.
- moto gives every KMS key, symmetric ones too, an RSA key that only signing would use.
"""

import functools

import botocore.session
import moto.kms.models


def install() -> None:
    """Have this process make them once."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    moto.kms.models.generate_private_key = functools.cache(moto.kms.models.generate_private_key)
