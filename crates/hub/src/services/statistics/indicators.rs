//! Indicators and examples of refusals, between the wire and `core`.

use lienthong_core::Directory;
use lienthong_core::statistics::{
    Area, CENTRE, Holder, IndicatorFigure, PlaceIndicators, Share, TargetProgress, TargetState,
    View,
};
use lienthong_model::{Ordinal, Reason, Refusal, Timestamp};
use lienthong_wire::{administration, moment, proto};

use super::{province, question};
use crate::indicators::Wanted;
use crate::present::unreadable;
use crate::reader::Reader;

/// Examples of refusals when nothing is said, and at most.
const EXAMPLES: (usize, usize) = (20, 1_000);

pub(super) fn indicators(
    reader: &Reader,
    view: &View,
    request: &proto::GetIndicatorsRequest,
    now: Timestamp,
) -> Result<proto::GetIndicatorsResponse, Refusal> {
    let directory = reader.directory();
    let wanted = Wanted {
        period: question::period(request.from.as_ref(), request.to.as_ref())?,
        province: province(&request.province, &directory)?.flatten(),
        page_price: request.page_price,
    };
    let found = wanted.look(reader, view, now)?;
    let shown = Shown { directory: &directory, now };
    Ok(proto::GetIndicatorsResponse {
        places: found.iter().map(|place| shown.place(place)).collect(),
    })
}

struct Shown<'a> {
    directory: &'a Directory,
    now: Timestamp,
}

impl Shown<'_> {
    fn place(&self, place: &PlaceIndicators) -> proto::PlaceIndicators {
        let (code, name) = match place.area {
            Area::Country => (String::new(), String::new()),
            Area::Centre => (CENTRE.to_owned(), String::new()),
            Area::Province(province) => self.named(province),
        };
        proto::PlaceIndicators {
            code,
            name,
            level: place.level.map_or(0, |level| proto::Level::from(level).into()),
            figures: place.figures.iter().map(|figure| self.figure(figure)).collect(),
        }
    }

    fn named(&self, agency: Ordinal) -> (String, String) {
        let known = self.directory.agency(agency);
        let name = known.map(|agency| agency.entry(self.now).name.clone()).unwrap_or_default();
        (self.directory.code(agency, self.now), name)
    }

    fn figure(&self, figure: &IndicatorFigure) -> proto::IndicatorFigure {
        let target = |target: &TargetProgress| proto::TargetProgress {
            target: Some(administration::target_to_proto(&target.target)),
            state: match target.state {
                TargetState::Met => proto::TargetState::Met,
                TargetState::OnCourse => proto::TargetState::OnCourse,
                TargetState::Late => proto::TargetState::Late,
            }
            .into(),
            holders: target.holders.iter().map(|one| self.holder(one)).collect(),
        };
        proto::IndicatorFigure {
            indicator: i32::from(figure.indicator.number()),
            share: Some(share(&figure.share)),
            before: Some(share(&figure.before)),
            targets: figure.targets.iter().map(target).collect(),
        }
    }

    fn holder(&self, holder: &Holder) -> proto::TargetHolder {
        let (code, name) = self.named(holder.agency);
        proto::TargetHolder { code, name, share: Some(share(&holder.share)) }
    }
}

fn share(share: &Share) -> proto::Share {
    let Share { numerator, denominator, value } = *share;
    proto::Share { numerator, denominator, value }
}

pub(super) fn examples(
    reader: &Reader,
    view: &View,
    request: &proto::ListRefusalExamplesRequest,
    now: Timestamp,
) -> Result<proto::ListRefusalExamplesResponse, Refusal> {
    let directory = reader.directory();
    let here = province(&request.province, &directory)?;
    let reason = match request.reason.as_str() {
        "" => None,
        code => Some(
            Reason::ALL
                .iter()
                .copied()
                .find(|reason| reason.code() == code)
                .ok_or_else(|| Refusal::at(Reason::FieldInvalid, "reason", code))?,
        ),
    };
    let limit = match usize::try_from(request.limit) {
        Ok(0) | Err(_) => EXAMPLES.0,
        Ok(asked) => asked.min(EXAMPLES.1),
    };
    let wanted = |caller: Ordinal| {
        directory.agency(caller).is_some_and(|agency| {
            let place = directory.place(agency, now);
            view.shows(caller, place) && here.is_none_or(|province| place.province == province)
        })
    };
    let found = reader.with_statistics(|source| source.refusal_examples(reason, &wanted, limit));
    let found = found.map_err(|error| unreadable(&error))?;
    let examples = found.into_iter().map(|example| {
        let first = example.refusal.violations.first();
        proto::RefusalExample {
            caller: directory.code(example.caller, now),
            id: bytes::Bytes::copy_from_slice(example.id.as_bytes()),
            at: Some(moment::to_proto(example.at)),
            reason: example.refusal.reason.code().to_owned(),
            field: first.map(|one| one.field.clone()).unwrap_or_default(),
            value: first.map(|one| one.value.clone()).unwrap_or_default(),
        }
    });
    Ok(proto::ListRefusalExamplesResponse { examples: examples.collect() })
}
