//! Pages stay within what a row may have.

use lienthong_model::DocumentType;
use lienthong_trust::SignatureKind;

use super::*;
use crate::engine::Tables;

/// What every engine takes for a value.
const VALUE_BYTES_MAX: usize = 64 * 1024;

struct Nothing;

impl Tables for Nothing {
    fn read(&self, _: &[u8]) -> Result<Option<Bytes>, EngineError> {
        Ok(None)
    }

    fn scan(
        &self,
        _: &[u8],
        _: &[u8],
        _: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        Ok(())
    }
}

#[test]
fn a_page_with_every_cell_there_can_be_fits_a_row() {
    let mut cubes = Cubes::default();
    let time = Timestamp::from_millis(0);
    let fold = Folding { tables: &Nothing, block: 1, time };
    let provinces = [Some(Ordinal(1)), Some(Ordinal(70_000)), None];
    let places = provinces
        .into_iter()
        .flat_map(|province| Level::ALL.into_iter().map(move |level| Place { province, level }));
    let places: Vec<Place> = places.collect();
    for document_type in DocumentType::all() {
        for signature in SignatureKind::ALL {
            for paper_copy in [true, false] {
                let traits = Traits { document_type, signature, paper_copy, pages: u32::MAX };
                for sender in &places {
                    for recipient in &places {
                        let (sender, recipient) = (*sender, *recipient);
                        let bytes = u64::MAX / 1_000_000_000;
                        let agency = Ordinal(u32::MAX);
                        let made = Made { at: time, place: recipient, due: None };
                        let event = Event::Received { agency, sender, made, bytes, traits };
                        cubes.count(&fold, &event).unwrap();
                        let scope = crate::routing::span(sender.province, recipient.province);
                        let event = Event::Sent { agency, sender, scope, traits };
                        cubes.count(&fold, &event).unwrap();
                    }
                }
            }
        }
    }
    let mut writes = Writes::new();
    cubes.cut(&Nothing, time, &mut writes).unwrap();
    let largest = writes.iter().filter_map(|(_, row)| row.as_ref().map(Bytes::len)).max();
    assert!(largest.unwrap() < VALUE_BYTES_MAX / 2, "{largest:?} bytes");
}
