"""What people look at: exports and reports, the dashboard, questions in plain words."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from dagster_project.settings.section import CommaSeparated, Section


class ExportsSettings(Section):
    """Exports and reports"""

    exports_dir: Path | None = Field(None, description="Folder of exports. Default: exports, in the data folder.")
    exports_bucket: str | None = Field(
        None, description="Bucket of S3, or of what speaks like it, for exports instead of the folder (extra s3)."
    )
    exports_s3_prefix: str = Field("", description="What each key in the bucket begins with.")
    exports_s3_region: str | None = Field(None, description="Region of the bucket. Default: AWS_REGION.")
    exports_s3_endpoint: str | None = Field(
        None, description="Address of an S3 that is not Amazon's, with the bucket in its path (minio, moto)."
    )
    exports_s3_access_key_id: str | None = Field(
        None, description="Key id for the bucket. Default: AWS's own variables, or the machine's role."
    )
    exports_s3_secret_access_key: SecretStr | None = Field(None, description="The secret that belongs to it.")
    exports_keep_days: int = Field(7, ge=1, le=3650, description="Days until an export is deleted.")
    exports_link_hours: int = Field(24, ge=1, le=168, description="Hours that a signed link works (168 at most).")
    exports_language: Literal["es", "en"] = Field("es", description="Language of reports and exports: es or en.")
    company: str | None = Field(
        None,
        max_length=200,
        pattern=r"^\P{Cc}*$",  # it is in the subject of mails, which is one line
        description="Name on the cover of PDF reports. Default: B2Chat.",
    )


class DashboardSettings(Section):
    """The dashboard"""

    dashboard_dir: Path | None = Field(
        None, description="Folder of the static site. Default: dashboard, in the data folder."
    )
    dashboard_weeks: int = Field(8, ge=1, le=260, description="How many of the last weeks the static site keeps.")
    dashboard_token: SecretStr | None = Field(
        None,
        description="Token that opens the served dashboard, 16 characters or more; without it `b2chat dashboard serve` "
        "listens on this machine alone.",
    )
    dashboard_hosts: CommaSeparated[str] = Field(
        default_factory=list,
        description="Names by which browsers reach the served dashboard, as a proxy's, separated by commas.",
    )


class QuestionsSettings(Section):
    """Questions in plain words (`b2chat mcp`)"""

    mcp_token: SecretStr | None = Field(
        None, description="Token that `b2chat mcp --http` asks for, 24 characters or more: openssl rand -hex 24."
    )
    mcp_sql: bool = Field(
        False, description="Whether a language model may run SELECT statements of its own, as bi_reader, on the marts."
    )
