use proptest::prelude::*;

use super::*;

/// The example of Go's `golang.org/x/mod/sumdb/note`.
const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
const LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf\
    qdngotpRZb6KE6RyyBwJnAM=\n";

fn key() -> NoteKey {
    NoteKey::parse(KEY).unwrap()
}

fn note() -> String {
    format!("{TEXT}\n{LINE}")
}

#[test]
fn the_published_note_opens_with_the_published_key() {
    assert_eq!(key().open(&note()), Ok(TEXT));
}

#[test]
fn a_key_is_written_as_it_was_read_and_its_id_is_checked() {
    assert_eq!(key().to_string(), KEY);
    assert_eq!(NoteKey::new("PeterNeumann", *key().key()), Ok(key()));
    assert_eq!(NoteKey::parse(&KEY.replace("c74f20a3", "c74f20a4")), Err(NoteKeyError::Id));
    assert_eq!(NoteKey::parse(&KEY.replace("Peter", "Petra")), Err(NoteKeyError::Id));
    assert_eq!(NoteKey::parse("PeterNeumann+c74f20a3"), Err(NoteKeyError::Form));
    for name in ["", "a b", "a+b", "a\nb", &"x".repeat(256)] {
        assert!(matches!(NoteKey::new(name, *key().key()), Err(NoteKeyError::Name(_))), "{name}");
    }
}

#[test]
fn a_note_is_assembled_as_it_was_published() {
    let (_, _, signature) = signature_of(LINE.trim_end()).unwrap();
    assert_eq!(key().note(TEXT, &signature.try_into().unwrap()), note());
}

#[test]
fn signatures_of_other_keys_are_passed_over_and_do_not_count() {
    let other = "— EnochRoot af4cfc51\n";
    let both = format!("{TEXT}\n{other}{LINE}");
    assert_eq!(key().open(&both), Ok(TEXT));
    assert_eq!(key().open(&format!("{TEXT}\n{other}")), Err(NoteError::Unsigned));
    let renamed = note().replace("— PeterNeumann", "— PetraNeumann");
    assert_eq!(key().open(&renamed), Err(NoteError::Unsigned));
}

#[test]
fn a_malformed_note_is_refused() {
    let note = note();
    let malformed = [
        String::new(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        note.trim_end().to_owned(),
        note.replace('—', "-"),
        format!("{note}junk\n"),
        note.replace("problem,", "problem,\r"),
        note.replace("AM=", "AM"),
        format!("{TEXT}\n{}", LINE.repeat(NOTE_SIGNATURES_MAX + 1)),
    ];
    for note in malformed {
        let error = key().open(&note).unwrap_err();
        assert!(matches!(error, NoteError::Malformed | NoteError::Unsigned), "{note}: {error}");
    }
    let long = format!("{}{note}", "x\n".repeat(NOTE_BYTES_MAX / 2));
    assert!(matches!(key().open(&long), Err(NoteError::TooLong(_))));
}

proptest! {
    #[test]
    fn a_note_with_a_changed_character_does_not_open(
        place: prop::sample::Index, by in any::<char>(),
    ) {
        let note = note();
        let mut characters: Vec<char> = note.chars().collect();
        let place = place.index(characters.len());
        prop_assume!(characters[place] != by);
        characters[place] = by;
        let changed: String = characters.into_iter().collect();
        prop_assert!(key().open(&changed).is_err(), "{changed}");
    }

    #[test]
    fn any_text_is_answered(text: String) {
        prop_assert!(key().open(&text).is_err());
        prop_assert!(NoteKey::parse(&text).is_err());
    }
}
