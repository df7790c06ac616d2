use super::*;

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// RFC 8032, section 7.1: public key, message, signature.
fn published() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            Vec::new(),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701\
             cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            bytes("72"),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d\
             0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            bytes("af82"),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609\
             84dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            bytes(
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c\
                 23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66\
             431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ]
}

#[test]
fn the_published_signatures_hold() {
    for (key, message, signature) in published() {
        let key = PublicKey::from_bytes(&bytes(key)).unwrap();
        assert!(key.verify(&message, &bytes(signature)), "{key:?}");
    }
}

#[test]
fn a_changed_bit_of_message_signature_or_key_breaks_the_signature() {
    for (key, message, signature) in published() {
        let (key_bytes, signature) = (bytes(key), bytes(signature));
        let key = PublicKey::from_bytes(&key_bytes).unwrap();
        for bit in 0..signature.len() * 8 {
            let mut changed = signature.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&message, &changed), "bit {bit} of the signature");
        }
        let longer = [message.as_slice(), &[0]].concat();
        assert!(!key.verify(&longer, &signature));
        for bit in 0..key_bytes.len() * 8 {
            let mut changed = key_bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = PublicKey::from_bytes(&changed) {
                assert!(!other.verify(&message, &signature), "bit {bit} of the key");
            }
        }
    }
}

#[test]
fn a_signature_of_another_length_is_no_signature() {
    for (key, message, signature) in published() {
        let (key, signature) = (PublicKey::from_bytes(&bytes(key)).unwrap(), bytes(signature));
        assert!(!key.verify(&message, &[]));
        assert!(!key.verify(&message, &signature[..63]));
        assert!(!key.verify(&message, &[signature.as_slice(), &[0]].concat()));
    }
}

#[test]
fn adding_the_group_order_to_s_gives_no_second_signature() {
    // L = 2^252 + 27742317777372353535851937790883648493, little endian.
    let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    for (key, message, signature) in published() {
        let mut malleable = bytes(signature);
        let mut carry = 0u16;
        for (digit, add) in malleable[32..].iter_mut().zip(&order) {
            carry += u16::from(*digit) + u16::from(*add);
            *digit = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert_eq!(carry, 0);
        let key = PublicKey::from_bytes(&bytes(key)).unwrap();
        assert!(!key.verify(&message, &malleable));
    }
}

#[test]
fn the_eight_points_of_small_order_are_no_keys() {
    // Orders 1, 2, 4, 4, 8, 8, 8, 8.
    for point in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        assert_eq!(PublicKey::from_bytes(&bytes(point)), Err(WeakKey::SmallOrder), "{point}");
    }
}

#[test]
fn a_second_spelling_of_a_point_is_no_key() {
    // y = p and y = p + 1 stand for 0 and 1; y = p + 3 and others for points of large order.
    for low in 0xed..=0xff_u8 {
        let mut spelling = [0xff; 32];
        (spelling[0], spelling[31]) = (low, 0x7f);
        let refused = PublicKey::from_bytes(&spelling).unwrap_err();
        assert!(matches!(refused, WeakKey::NotCanonical | WeakKey::NotAPoint), "{low:x}");
    }
    // x = 0 with the sign bit set.
    let mut negative_zero = [0; 32];
    (negative_zero[0], negative_zero[31]) = (1, 0x80);
    assert!(PublicKey::from_bytes(&negative_zero).is_err());
}

#[test]
fn other_lengths_and_bytes_off_the_curve_are_no_keys() {
    assert_eq!(PublicKey::from_bytes(&[]), Err(WeakKey::Length(0)));
    assert_eq!(PublicKey::from_bytes(&[1; 33]), Err(WeakKey::Length(33)));
    let mut off = [0; 32];
    off[0] = 2;
    assert_eq!(PublicKey::from_bytes(&off), Err(WeakKey::NotAPoint));
}
