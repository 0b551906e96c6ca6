"""The settings of stores and what they inherit: shown with where each comes from, changed without losing an update."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, RootModel

from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.problems import Problem
from admin.api.schemas import inlined
from recovery import db
from recovery.installation import ROW, default_settings, save_default_settings
from recovery.models import Installation, Store
from recovery.store_settings import SECRET_SETTINGS, StoreSettings, effective, seal_secrets
from recovery.store_settings_attribution import AttributionSettings
from recovery.store_settings_campaign import CampaignSettings
from recovery.store_settings_coupons import CouponSettings
from recovery.store_settings_limits import LimitSettings
from recovery.store_settings_mail import MailSettings
from recovery.store_settings_model import ModelSettings
from recovery.store_settings_privacy import PrivacySettings
from recovery.store_settings_storefront import StorefrontSettings
from recovery.stores import registry

api = Operations("settings")

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
GROUPS: dict[str, type[BaseModel]] = {
    "campaign": CampaignSettings,
    "limits": LimitSettings,
    "mail": MailSettings,
    "coupons": CouponSettings,
    "model": ModelSettings,
    "attribution": AttributionSettings,
    "privacy": PrivacySettings,
    "storefront": StorefrontSettings,
}


class SettingField(BaseModel):
    """What a setting means and may be."""

    name: str
    group: str
    description: str
    default: Any
    value_schema: dict[str, Any] = Field(description="JSON Schema of its value")
    secret: bool = Field(description="Never shown again; send the value to change it, null to remove it")


class SettingFields(BaseModel):
    """Every setting there is, in the order of the form."""

    items: list[SettingField]


class SettingsInForce(BaseModel):
    """The settings in force; secrets only as set or not."""

    values: dict[str, Any]
    own: list[str] = Field(description="Names that are set here and not inherited")
    version: str = Field(description="Also the ETag; send it as If-Match to change something")


class Changes(RootModel[dict[str, Any]]):
    """Names and new values; null goes back to what is inherited."""


@api.add("GET", "/settings/fields", scope="settings:read")
async def list_fields(call: Call) -> SettingFields:
    """Every setting with its meaning, range and built-in value."""
    fields = []
    for group, model in GROUPS.items():
        schema = model.model_json_schema()
        for name, field in model.model_fields.items():
            own = inlined(schema["properties"][name], schema.get("$defs", {}))
            default = field.get_default(call_default_factory=True)
            fields.append(
                SettingField(
                    name=name,
                    group=group,
                    description=field.description or "",
                    default=_plain(default),
                    value_schema={key: value for key, value in own.items() if key not in {"description", "default"}},
                    secret=name in SECRET_SETTINGS,
                )
            )
    return SettingFields(items=fields)


@api.add("GET", "/settings", scope="settings:read")
async def default_settings_now(call: Call) -> SettingsInForce:
    """What stores inherit that have no value of their own."""
    values, version = await default_settings()
    return _told(call, effective({}, values), list(values), str(version))


@api.add("PATCH", "/settings", scope="settings:write")
async def change_default_settings(call: Call, body: Changes) -> SettingsInForce:
    """Change what all stores inherit; needs to see all stores."""
    if call.who.store_ids is not None:
        raise Problem(403, "not-allowed", "Only who sees all stores may change what they inherit.")
    async with db.in_transaction():
        row = await Installation.select_for_update().get(name=ROW)
        _same_version(call, str(row.settings_version))
        before = effective({}, row.settings).shown()
        changes = seal_secrets(call.runtime.keys.vault, body.root)
        settings = await save_default_settings(changes)
        await call.note(
            "settings.changed",
            "installation",
            before=_only(body.root, before),
            after=_only(body.root, settings.shown()),
        )
    values, version = await default_settings()
    return _told(call, settings, list(values), str(version))


@api.add("GET", "/stores/{id}/settings", scope="settings:read")
async def store_settings_now(call: Call, id: Id) -> SettingsInForce:
    """The settings in force for a store."""
    store = await call.store(id)
    in_force = await registry.in_force(store)
    return _told(call, in_force.settings, list(store.settings), in_force.version)


@api.add("PATCH", "/stores/{id}/settings", scope="settings:write")
async def change_store_settings(call: Call, id: Id, body: Changes) -> SettingsInForce:
    """Change settings of one store; they count at once."""
    await call.store(id)
    async with db.in_transaction():
        store = await Store.select_for_update().get(id=id)
        in_force = await registry.in_force(store)
        _same_version(call, in_force.version)
        changes = seal_secrets(call.runtime.keys.vault, body.root)
        settings = await registry.change_settings(store, changes)
        await call.note(
            "settings.changed",
            f"store {id}",
            store_id=id,
            before=_only(body.root, in_force.settings.shown()),
            after=_only(body.root, settings.shown()),
        )
    in_force = await registry.in_force(store)
    return _told(call, in_force.settings, list(store.settings), in_force.version)


def _told(call: Call, settings: StoreSettings, own: list[str], version: str) -> SettingsInForce:
    call.headers["ETag"] = f'"{version}"'
    return SettingsInForce(values=_plain(settings.shown()), own=sorted(own), version=version)


def _same_version(call: Call, version: str) -> None:
    """Let only whoever saw the newest settings change them.

    Raises:
        Problem: they did not say, or they changed meanwhile.
    """
    seen = call.request.headers.get("if-match")
    if seen is None:
        raise Problem(428, "if-match", "Send If-Match with the ETag of the settings you saw.")
    if seen.strip() != f'"{version}"':
        raise Problem(412, "changed", "Somebody changed the settings meanwhile; look at them again.")


def _only(changes: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """The values of the changed names."""
    return {name: _plain(shown.get(name)) for name in changes}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
