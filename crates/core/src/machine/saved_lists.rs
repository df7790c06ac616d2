//! Saved lists: kept by their owners, or by an administrator for them.

use std::collections::HashSet;

use lienthong_model::limits::{RECIPIENTS_MAX, SAVED_LISTS_MAX, TEXT_CHARS_MAX};
use lienthong_model::{Ordinal, Reason, Refusal};

use super::Machine;
use super::decide::Judged;
use crate::codec;
use crate::command::{Command, Decision, RemoveList, SaveList};
use crate::engine::{EngineError, Payloads, State};
use crate::keys;
use crate::rows::SavedList;

impl<S: State, P: Payloads> Machine<S, P> {
    pub(super) fn judge_save_list(&self, save: SaveList) -> Result<Judged, EngineError> {
        if let Err(refusal) = self.check_list(&save) {
            return Ok(Err(Decision::Refused(refusal)));
        }
        let key = keys::saved_list(save.owner, save.name.as_str());
        if self.row(&key)?.is_none() && self.lists_of(save.owner)? >= SAVED_LISTS_MAX {
            let value = format!("{SAVED_LISTS_MAX} lists");
            let refusal = Refusal::at(Reason::ListLimit, "name", value);
            return Ok(Err(Decision::Refused(refusal)));
        }
        Ok(Ok((Command::SaveList(save), Decision::Done)))
    }

    pub(super) fn judge_remove_list(&self, remove: RemoveList) -> Result<Judged, EngineError> {
        if let Err(refusal) = self.may_keep_lists(remove.caller, remove.owner) {
            return Ok(Err(Decision::Refused(refusal)));
        }
        if self.row(&keys::saved_list(remove.owner, remove.name.as_str()))?.is_none() {
            let name = remove.name.as_str();
            let refusal = Refusal::at(Reason::RecipientListUnknown, "name", name);
            return Ok(Err(Decision::Refused(refusal)));
        }
        Ok(Ok((Command::RemoveList(remove), Decision::Done)))
    }

    pub(super) fn apply_save_list(&mut self, save: &SaveList) {
        let row = SavedList {
            name: save.name.clone(),
            title: save.title.clone(),
            version: self.work.block,
            saved_at: self.now(),
            members: save.members.clone(),
        };
        self.work.put(keys::saved_list(save.owner, save.name.as_str()), codec::encode(&row));
    }

    pub(super) fn apply_remove_list(&mut self, remove: &RemoveList) {
        self.work.delete(keys::saved_list(remove.owner, remove.name.as_str()));
    }

    fn check_list(&self, save: &SaveList) -> Result<(), Refusal> {
        self.may_keep_lists(save.caller, save.owner)?;
        let chars = save.title.chars().count();
        if chars > TEXT_CHARS_MAX {
            let value = format!("{chars} characters, at most {TEXT_CHARS_MAX}");
            return Err(Refusal::at(Reason::ContentTooLarge, "title", value));
        }
        let members = save.members.len();
        if members > RECIPIENTS_MAX {
            let value = format!("{members}, at most {RECIPIENTS_MAX}");
            return Err(Refusal::at(Reason::ContentTooLarge, "members", value));
        }
        if members == 0 {
            return Err(Refusal::at(Reason::FieldMissing, "members", ""));
        }
        let mut seen = HashSet::with_capacity(members);
        for (index, member) in save.members.iter().enumerate() {
            let field = || format!("members[{index}]");
            if self.policy.directory.agency(*member).is_none() {
                return Err(Refusal::at(Reason::RecipientUnknown, field(), member.0));
            }
            if !seen.insert(*member) {
                let code = self.policy.directory.code(*member, self.now());
                return Err(Refusal::at(Reason::RecipientRepeated, field(), code));
            }
        }
        Ok(())
    }

    /// Whether the caller may keep an agency's lists: an administrator, the agency, or its gateway.
    fn may_keep_lists(&self, caller: Option<Ordinal>, owner: Ordinal) -> Result<(), Refusal> {
        let directory = &self.policy.directory;
        let Some(owner) = directory.agency(owner) else {
            return Err(Refusal::at(Reason::SenderUnknown, "owner", owner.0));
        };
        match caller.is_none_or(|caller| directory.serves(caller, owner, self.now())) {
            true => Ok(()),
            false => Err(Refusal::at(Reason::CallerNotEntitled, "owner", owner.key.as_str())),
        }
    }

    /// How many lists an agency has, those of the block under way included.
    fn lists_of(&self, owner: Ordinal) -> Result<usize, EngineError> {
        let prefix = keys::saved_lists(owner);
        let mut count = 0;
        self.state.scan(&prefix, &prefix, &mut |key, _| {
            count += usize::from(self.work.row(key).is_none());
            count <= SAVED_LISTS_MAX
        })?;
        Ok(count + self.work.rows_under(&prefix).filter(|(_, row)| row.is_some()).count())
    }
}
