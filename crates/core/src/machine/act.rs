//! Acts of administration: whether they can be carried out, and whether the person who asks may.

use lienthong_model::limits::{ACT_ENTRIES_MAX, AUTHORITIES_MAX};
use lienthong_model::{
    AccountChange, AccountChangeKind, Actor, AgencyCode, AgencyEntry, Appointment, Level, Reason,
    Refusal, Role, Signatory, Territory,
};
use lienthong_trust::Holder;

use super::Machine;
use super::decide::Judged;
use crate::appointments::holds;
use crate::command::{Command, Decision};
use crate::engine::{EngineError, Payloads, State};
use crate::policy::{read_authority, read_entries};

/// An act that can be carried out, or not.
type Administered = Result<Result<(), Refusal>, EngineError>;

impl<S: State, P: Payloads> Machine<S, P> {
    /// An act of the hub's own start-up.
    pub(super) fn judge_administration(&self, act: Command) -> Result<Judged, EngineError> {
        let judged = self.judge_act(&act)?;
        Ok(judged.map(|()| (act, Decision::Done)).map_err(Decision::Refused))
    }

    /// An act of a person, by an appointment that holds for everything that the act concerns.
    pub(super) fn judge_act_of(
        &self,
        person: Signatory,
        act: Command,
    ) -> Result<Judged, EngineError> {
        let Some(role) = self.role_for(&person, &act) else {
            let who = format!("{}/{}", person.agency, person.person);
            let refusal = Refusal::at(Reason::CallerNotEntitled, "caller", who);
            return Ok(Err(Decision::Refused(refusal)));
        };
        let judged = self.judge_act(&act)?;
        let by = Actor { person, role };
        let act = |()| (Command::Act { by, act: Box::new(act) }, Decision::Done);
        Ok(judged.map(act).map_err(Decision::Refused))
    }

    /// The role by which a person may do an act: administrators may, within their territory, and
    /// everybody with an appointment may set their own password.
    fn role_for(&self, person: &Signatory, act: &Command) -> Option<Role> {
        let held = self.policy.appointments.of(&person.agency.key(), &person.person);
        let now = self.now();
        let own = is_own_password(person, act);
        let may = |one: &&Appointment| {
            let administers = one.role == Role::Administrator && self.within(one, act);
            one.in_force(now) && (own || administers)
        };
        held.iter().find(may).map(|one| one.role)
    }

    /// Whether everything that an act concerns lies in an appointment's territory.
    fn within(&self, appointment: &Appointment, act: &Command) -> bool {
        let territory = &appointment.territory;
        if *territory == Territory::Country {
            return true;
        }
        let lies_in = |code: &AgencyCode| {
            let agency = self.policy.directory.find(code);
            agency.is_some_and(|agency| holds(territory, agency, self.now()))
        };
        match act {
            Command::ChangeMandates(mandates) => mandates.iter().all(|one| lies_in(&one.agency)),
            Command::ChangeDirectory(entries) => entries.iter().all(|entry| {
                let known = self.policy.directory.find(&entry.code).is_some();
                holds_entry(territory, entry) && (!known || lies_in(&entry.code))
            }),
            // Nobody appoints for more than they have: an agency is not the province named after
            // it.
            Command::ChangeAppointments(all) => {
                all.iter().all(|one| self.covers(territory, &one.territory))
            }
            // Whoever sets a password could sign in with it, also when an appointment begins later.
            Command::ChangeAccounts(all) => all.iter().all(|one| {
                let AccountChange { holder, .. } = one;
                let held = self.policy.appointments.of(&holder.agency.key(), &holder.person);
                let today = self.now().day();
                let goes_on = |held: &&Appointment| held.until.is_none_or(|until| today < until);
                lies_in(&holder.agency)
                    && held.iter().filter(goes_on).all(|h| self.covers(territory, &h.territory))
            }),
            Command::ChangeTargets(all) => all.iter().all(|one| match &one.territory {
                Territory::Country => false,
                Territory::Province(code) => is_province(territory, code),
                Territory::Agency(code) => lies_in(code),
            }),
            Command::ImportDirectory(_)
            | Command::AddAuthority(_)
            | Command::AddRevocationList(_)
            | Command::SetRoutingRules(_)
            | Command::SetRevocationPolicy(_)
            | Command::ChangeQuotas(_)
            | Command::Act { .. }
            | Command::Submit(_)
            | Command::Report(_)
            | Command::Acknowledge(_)
            | Command::AcknowledgeNotices(_)
            | Command::NegativeAcknowledge(_)
            | Command::SettleRevocation(_)
            | Command::Refused { .. }
            | Command::FanOut(_)
            | Command::SaveList(_)
            | Command::RemoveList(_)
            | Command::Tick(_)
            | Command::SetTerms(_)
            | Command::Remind(_) => false,
        }
    }

    /// Whether a territory holds all of another.
    fn covers(&self, territory: &Territory, other: &Territory) -> bool {
        match other {
            Territory::Country => *territory == Territory::Country,
            Territory::Province(code) => is_province(territory, code),
            Territory::Agency(code) => {
                let agency = self.policy.directory.find(code);
                agency.is_some_and(|agency| holds(territory, agency, self.now()))
            }
        }
    }

    /// Whether an act can be carried out, whoever asks.
    fn judge_act(&self, act: &Command) -> Administered {
        let (policy, directory) = (&self.policy, &self.policy.directory);
        match act {
            Command::ImportDirectory(import) => {
                match unless_damaged(read_entries(&self.payloads, &import.payload))? {
                    Ok(entries) => checked("directory", directory.check(&entries)),
                    Err(why) => invalid("directory", why),
                }
            }
            Command::ChangeDirectory(entries) => checked("directory", directory.check(entries)),
            Command::AddRevocationList(added) => {
                match unless_damaged(policy.read_list(added, &self.payloads))? {
                    // It would keep every correct list out until its time has come.
                    Ok(list) if list.this_update > self.now().plus(self.clock_ahead) => {
                        let why = format!("dated {}, received {}", list.this_update, self.now());
                        invalid("revocation_list", why)
                    }
                    Ok(list) if policy.trust.admits(&list) => Ok(Ok(())),
                    Ok(_) => invalid("revocation_list", "not newer than the one in force".into()),
                    Err(why) => invalid("revocation_list", why),
                }
            }
            Command::SetRoutingRules(rules) => checked("routing_rules", rules.check()),
            Command::AddAuthority(added) if !policy.trust.has_room_for(&added.certificate) => {
                invalid("authority", format!("the hub knows {AUTHORITIES_MAX} authorities already"))
            }
            Command::AddAuthority(added) => {
                match unless_damaged(read_authority(&added.certificate))? {
                    Ok(found) if !matches!(found.holder(), Holder::Authority { .. }) => {
                        invalid("authority", "the certificate is not an authority's".into())
                    }
                    // No chain ends at any other, and what is a root stays one.
                    Ok(found) if added.trusted && !found.verify_issued(&found) => {
                        let why = format!("`{}` has not signed itself: no root", found.subject());
                        invalid("authority", why)
                    }
                    Ok(_) => Ok(Ok(())),
                    Err(why) => invalid("authority", why),
                }
            }
            Command::ChangeMandates(all) if all.len() > ACT_ENTRIES_MAX => too_many(all.len()),
            Command::ChangeMandates(mandates) => {
                checked("mandates", policy.mandates.check(mandates, directory))
            }
            Command::ChangeAppointments(all) if all.len() > ACT_ENTRIES_MAX => too_many(all.len()),
            Command::ChangeAppointments(all) => {
                checked("appointments", policy.appointments.check(all, directory, self.now()))
            }
            Command::ChangeQuotas(all) if all.len() > ACT_ENTRIES_MAX => too_many(all.len()),
            Command::ChangeQuotas(quotas) => {
                checked("quotas", policy.quotas.check(quotas, directory))
            }
            Command::ChangeTargets(all) if all.len() > ACT_ENTRIES_MAX => too_many(all.len()),
            Command::ChangeTargets(targets) => {
                checked("targets", policy.targets.check(targets, directory))
            }
            Command::SetRevocationPolicy(_) => Ok(Ok(())),
            Command::ChangeAccounts(all) if all.len() > ACT_ENTRIES_MAX => too_many(all.len()),
            Command::ChangeAccounts(all) => {
                let unknown = |one: &&AccountChange| directory.find(&one.holder.agency).is_none();
                match all.iter().find(unknown) {
                    Some(one) => invalid("holder.agency", one.holder.agency.to_string()),
                    None => Ok(Ok(())),
                }
            }
            Command::SetTerms(terms) => checked("terms", terms.check()),
            Command::Submit(_)
            | Command::Report(_)
            | Command::Acknowledge(_)
            | Command::AcknowledgeNotices(_)
            | Command::NegativeAcknowledge(_)
            | Command::SettleRevocation(_)
            | Command::Act { .. }
            | Command::Refused { .. }
            | Command::FanOut(_)
            | Command::SaveList(_)
            | Command::RemoveList(_)
            | Command::Tick(_)
            | Command::Remind(_) => invalid("command", "not an act of administration".into()),
        }
    }
}

/// Whether an act sets the password of the person who asks, and does nothing else.
fn is_own_password(person: &Signatory, act: &Command) -> bool {
    let own = |change: &AccountChange| {
        let AccountChange { holder, kind } = change;
        let same = (holder.agency.key(), &holder.person) == (person.agency.key(), &person.person);
        same && *kind == AccountChangeKind::PasswordSet
    };
    matches!(act, Command::ChangeAccounts(changes) if changes.iter().all(own))
}

/// Whether a territory is the province with a code.
fn is_province(territory: &Territory, code: &AgencyCode) -> bool {
    matches!(territory, Territory::Province(own) if own.key() == code.key())
}

/// Whether what an entry says lies in a territory.
fn holds_entry(territory: &Territory, entry: &AgencyEntry) -> bool {
    match territory {
        Territory::Country => true,
        // The province's own entry, whose state says whether it is suspended, and the central level
        // are not for itself to change.
        Territory::Province(code) => {
            let of_province = entry.province.as_ref().map(AgencyCode::key) == Some(code.key());
            of_province && entry.code.key() != code.key() && entry.level != Level::Ministry
        }
        // Level, superior and province of an agency are not for itself to change.
        Territory::Agency(_) => false,
    }
}

fn checked(field: &str, outcome: Result<(), impl std::fmt::Display>) -> Administered {
    match outcome {
        Ok(()) => Ok(Ok(())),
        Err(error) => invalid(field, error.to_string()),
    }
}

fn invalid(field: &str, why: String) -> Administered {
    Ok(Err(Refusal::at(Reason::FieldInvalid, field, why)))
}

fn too_many(found: usize) -> Administered {
    let value = format!("{found} entries, at most {ACT_ENTRIES_MAX}");
    Ok(Err(Refusal::at(Reason::ContentTooLarge, "entries", value)))
}

/// What an administrator handed over and cannot be read is refused; only what was accepted before
/// is damage.
fn unless_damaged<T>(read: Result<T, EngineError>) -> Result<Result<T, String>, EngineError> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(EngineError::Damaged { what, why }) => Ok(Err(format!("{what}: {why}"))),
        Err(error) => Err(error),
    }
}
