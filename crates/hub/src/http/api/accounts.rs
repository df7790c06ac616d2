//! Accounts: who may sign in with a password. Whether a person may change one is judged in the
//! journal's order, like every other act.

use axum::Json;
use axum::extract::State;
use lienthong_model::{Appointment, Reason, Refusal, Role, Territory};
use serde::{Deserialize, Serialize};

use super::names::{self, Place};
use super::session::done;
use super::{Answer, Declined};
use crate::http::Pages;
use crate::http::asked::{Body, Query};
use crate::http::visitor::Person;
use crate::sight::{Sight, role};

/// A person with an account or an appointment.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    person: String,
    /// Whether it may sign in with a password.
    password: bool,
    appointments: Vec<Held>,
}

#[derive(Debug, Serialize)]
struct Held {
    role: &'static str,
    territory: Place,
    from: String,
    until: Option<String>,
    in_force: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    person: String,
    password: String,
    /// A role to appoint the person to as well.
    role: Option<String>,
    territory: Option<AskedPlace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPlace {
    kind: String,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    person: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnPassword {
    password: String,
    new: String,
}

/// Lists accounts and appointments of the visitor's territory, for administrators.
pub(super) async fn list(
    State(pages): State<Pages>,
    Person(person): Person,
) -> Answer<Vec<Account>> {
    let policy = pages.0.reader.policy();
    let now = pages.0.clock.now();
    if role(&policy.appointments, &person, now) != Some(Role::Administrator) {
        return Err(Refusal::at(Reason::CallerNotEntitled, "role", "not an administrator").into());
    }
    let sight = Sight::of(&policy, &person, now);
    let may_see = |agency: &lienthong_model::AgencyCode| {
        let found = policy.directory.find(agency);
        found.is_some_and(|found| {
            sight.as_ref().is_some_and(|sight| sight.has(&policy.directory, found, now))
        })
    };
    let mut people: Vec<_> = pages.0.accounts.holders();
    people.extend(policy.appointments.all().map(|one| one.holder.clone()));
    people.sort();
    people.dedup();
    people.retain(|one| may_see(&one.agency));
    let account = |holder: &lienthong_model::Signatory| Account {
        person: names::person(holder),
        password: pages.0.accounts.has(holder),
        appointments: policy
            .appointments
            .of(&holder.agency.key(), &holder.person)
            .iter()
            .map(|one| held(one, now))
            .collect(),
    };
    Ok(Json(people.iter().map(account).collect()))
}

/// Sets a password and, where a role is named, appoints.
pub(super) async fn set(
    State(pages): State<Pages>,
    Person(by): Person,
    Body(set): Body<Set>,
) -> Answer<serde_json::Value> {
    let holder = names::read_person(&set.person)?;
    let administration = pages.administration()?;
    if let Some(role) = &set.role {
        let role =
            Role::from_name(role).ok_or_else(|| Refusal::at(Reason::FieldInvalid, "role", role))?;
        let territory = territory(set.territory)?;
        let from = pages.0.clock.now().day();
        let appointment =
            Appointment { holder: holder.clone(), role, territory, from, until: None };
        let act = lienthong_core::Command::ChangeAppointments(vec![appointment]);
        administration.carry_out(Some(by.clone()), act).await?;
    }
    administration.set_password(Some(by), holder, set.password).await?;
    done()
}

/// Removes an account; its sessions end at once.
pub(super) async fn remove(
    State(pages): State<Pages>,
    Person(by): Person,
    Query(whose): Query<Whose>,
) -> Answer<serde_json::Value> {
    let holder = names::read_person(&whose.person)?;
    pages.administration()?.remove_account(Some(by), holder).await?;
    done()
}

/// Sets the visitor's own password, which it has to know; its sessions end.
pub(super) async fn own_password(
    State(pages): State<Pages>,
    Person(by): Person,
    Body(given): Body<OwnPassword>,
) -> Answer<serde_json::Value> {
    let (name, password) = (by.clone(), given.password);
    let proven = pages.0.accounts.hash(move |accounts| accounts.proves(&name, &password));
    if proven.await?.is_none() {
        return Err(Declined(Refusal::at(Reason::SignInFailed, "password", "")));
    }
    pages.administration()?.set_password(Some(by.clone()), by, given.new).await?;
    done()
}

fn held(one: &Appointment, now: lienthong_model::Timestamp) -> Held {
    Held {
        role: one.role.name(),
        territory: Place::of(&one.territory),
        from: one.from.to_string(),
        until: one.until.map(|day| day.to_string()),
        in_force: one.in_force(now),
    }
}

fn territory(asked: Option<AskedPlace>) -> Result<Territory, Refusal> {
    let missing = || Refusal::at(Reason::FieldMissing, "territory", "");
    let AskedPlace { kind, code } = asked.ok_or_else(missing)?;
    let code = || names::read_code(code.as_deref().unwrap_or_default(), "territory.code");
    match kind.as_str() {
        "country" => Ok(Territory::Country),
        "province" => Ok(Territory::Province(code()?)),
        "agency" => Ok(Territory::Agency(code()?)),
        other => Err(Refusal::at(Reason::FieldInvalid, "territory.kind", other)),
    }
}
