use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lienthong_core::engine::EngineError;
use proptest::prelude::*;

use super::*;

const OPEN: RunForm = RunForm::Open { rows_max: 200 };
const LARGE: RunForm = RunForm::Large { rows_max: 200 };

type Model = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

fn write(path: &Path, form: RunForm, rows: &Model) {
    let mut writer = RunWriter::create(path, form).unwrap();
    for (key, value) in rows {
        writer.push(key, value.as_deref()).unwrap();
    }
    writer.finish().unwrap();
}

fn open(path: &Path) -> Result<Arc<Run>, EngineError> {
    Run::open(path, 1, Arc::new(block_cache(1 << 20))).map(Arc::new)
}

fn plain((key, value): Row) -> (Vec<u8>, Option<Vec<u8>>) {
    (key.to_vec(), value.map(|value| value.to_vec()))
}

fn rows() -> impl Strategy<Value = Model> {
    let key = proptest::collection::vec(0..4_u8, 1..6);
    let value = proptest::option::weighted(0.8, proptest::collection::vec(any::<u8>(), 0..900));
    proptest::collection::btree_map(key, value, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_run_gives_back_the_rows_that_were_written(
        rows in rows(),
        form in proptest::sample::select(vec![OPEN, LARGE, RunForm::Settled]),
        prefix in proptest::collection::vec(0..4_u8, 0..3),
        from in proptest::collection::vec(0..4_u8, 0..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        write(&path, form, &rows);
        let run = open(&path).unwrap();
        run.verify().unwrap();
        prop_assert_eq!(run.rows(), rows.len() as u64);
        for (key, value) in &rows {
            let found = run.find(key).unwrap();
            prop_assert_eq!(found.map(|value| value.map(|value| value.to_vec())), Some(value.clone()));
            let absent = [key.as_slice(), &[9]].concat();
            prop_assert_eq!(run.find(&absent).unwrap(), None);
        }
        let found: Vec<_> = run.range(&prefix, &from).map(|row| plain(row.unwrap())).collect();
        let expected: Vec<_> = rows
            .range(from..)
            .filter(|(key, _)| key.starts_with(&prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn of_rows_with_the_same_key_the_newest_counts(layers in proptest::collection::vec(rows(), 1..5)) {
        let folder = tempfile::tempdir().unwrap();
        let mut model = Model::new();
        let mut runs = Vec::new();
        for (number, rows) in layers.iter().enumerate().rev() {
            let path = folder.path().join(number.to_string());
            write(&path, OPEN, rows);
            runs.insert(0, open(&path).unwrap());
            model.extend(rows.clone());
        }
        let sources = runs.iter().map(|run| Box::new(run.range(b"", b"")) as Source<'_>);
        let found: Vec<_> = Merged::of(sources).map(|row| plain(row.unwrap())).collect();
        prop_assert_eq!(found, model.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_flipped_byte_anywhere_is_found_and_never_served(rows in rows(), at: proptest::sample::Index) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        write(&path, OPEN, &rows);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 0x10;
        std::fs::write(&path, bytes).unwrap();
        let damage = match open(&path) {
            Ok(run) => run.verify(),
            Err(error) => Err(error),
        };
        // Six bytes of the header mean nothing.
        prop_assert!((10..16).contains(&at) || damage.is_err(), "byte {at}");
        if let Ok(run) = open(&path) {
            for (key, value) in &rows {
                if let Ok(found) = run.find(key) {
                    let found = found.map(|value| value.map(|value| value.to_vec()));
                    prop_assert_eq!(found, Some(value.clone()));
                }
            }
        }
    }
}

#[test]
fn rows_out_of_order_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = RunWriter::create(&folder.path().join("run"), OPEN).unwrap();
    writer.push(b"b", Some(b"1")).unwrap();
    for key in [b"b".as_slice(), b"a"] {
        assert!(writer.push(key, None).unwrap_err().to_string().contains("out of order"));
    }
}
