use ed25519_dalek::{Signer as _, SigningKey};

use super::*;
use crate::ed25519::PublicKey;
use crate::merkle::empty_root;

const ORIGIN: &str = "hub.example.vn/log";

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn key(name: &str) -> NoteKey {
    NoteKey::new(name, PublicKey::from_bytes(secret().verifying_key().as_bytes()).unwrap()).unwrap()
}

fn signed(text: &str) -> String {
    key(ORIGIN).note(text, &secret().sign(text.as_bytes()).to_bytes())
}

#[test]
fn the_text_is_that_of_the_format_and_is_read_back() {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 0, root: empty_root() };
    let text = format!("{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    assert_eq!(checkpoint.text(), text);
    assert_eq!(Checkpoint::open(&signed(&text), &key(ORIGIN)), Ok(checkpoint));
}

#[test]
fn further_signed_lines_are_allowed() {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 9, root: Digest([1; 32]) };
    let text = format!("{}extension\n", checkpoint.text());
    assert_eq!(Checkpoint::open(&signed(&text), &key(ORIGIN)), Ok(checkpoint));
}

#[test]
fn a_number_has_one_spelling_and_a_root_32_bytes() {
    let root = STANDARD.encode([1; 32]);
    let texts = [
        format!("{ORIGIN}\n01\n{root}\n"),
        format!("{ORIGIN}\n+1\n{root}\n"),
        format!("{ORIGIN}\n-1\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n1\n{}\n", STANDARD.encode([1; 31])),
        format!("{ORIGIN}\n1\n"),
        format!("{ORIGIN}\n"),
        format!("\n1\n{root}\n"),
    ];
    for text in texts {
        assert_eq!(Checkpoint::open(&signed(&text), &key(ORIGIN)), Err(CheckpointError::Text));
    }
}

#[test]
fn a_checkpoint_of_another_log_is_refused_although_it_is_signed() {
    let text = Checkpoint { origin: "other/log".to_owned(), size: 1, root: empty_root() }.text();
    let error = CheckpointError::Origin("other/log".to_owned());
    assert_eq!(Checkpoint::open(&signed(&text), &key(ORIGIN)), Err(error));
}

#[test]
fn a_signature_over_another_text_does_not_carry_over() {
    let text = Checkpoint { origin: ORIGIN.to_owned(), size: 5, root: empty_root() }.text();
    let raised = signed(&text).replace("\n5\n", "\n6\n");
    let error = CheckpointError::Note(NoteError::Signature);
    assert_eq!(Checkpoint::open(&raised, &key(ORIGIN)), Err(error));
}
