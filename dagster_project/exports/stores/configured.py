"""The store that the settings name."""

from dagster_project.exports.stores.bucket import Bucket, obstore
from dagster_project.exports.stores.contract import SCRATCH
from dagster_project.exports.stores.folder import Folder
from dagster_project.settings import Settings


def copies_of(settings: Settings) -> Bucket | None:
    """The bucket that backups are copied to; None where they are not. Raises StoreFailed: see `store_of`."""
    store = store_of(settings) if settings.backup_to_bucket else None
    return store if isinstance(store, Bucket) else None


def store_of(settings: Settings) -> Folder | Bucket:
    """The store that the settings name: the bucket, else the folder.

    Raises:
        StoreFailed: the bucket needs a package that is not installed.
    """
    if not settings.exports_bucket:
        return Folder(settings.exports_path)
    obstore()  # refuses here what would fail at the end of an export
    secret = settings.exports_s3_secret_access_key
    credentials = {
        "access_key_id": settings.exports_s3_access_key_id,
        "secret_access_key": secret.get_secret_value() if secret else None,
        "region": settings.exports_s3_region,
        "endpoint": settings.exports_s3_endpoint,
    }
    scratch = settings.exports_path / SCRATCH
    return Bucket(settings.exports_bucket, settings.exports_s3_prefix, credentials, scratch)
