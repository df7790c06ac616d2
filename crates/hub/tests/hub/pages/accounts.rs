//! Accounts: who sees what, who may change it, and passwords.

use super::*;

#[tokio::test]
async fn without_accounts_this_machine_sees_everything_and_changes_nothing() {
    let world = World::start().await;
    let browser = Browser::at(&world);
    assert_eq!(browser.json("session").await["accounts"], false);
    let set = json!({ "person": "H36/an", "password": PASSWORD });
    let refused = browser.change("PUT", "accounts", set).await;
    assert_eq!((refused.status, refused.code()), (401, "SIGN_IN_REQUIRED".to_owned()));
    let none = browser.sign_in_as("H36/an").await;
    assert_eq!((none.status, none.code()), (401, "SIGN_IN_FAILED".to_owned()));
}

#[tokio::test]
async fn with_an_account_everything_but_the_log_and_health_asks_to_sign_in() {
    let world = World::start().await;
    office(&world).await.set_password(&person("H36", "an"), PASSWORD).await.unwrap();
    let browser = Browser::at(&world);
    for path in [
        "overview",
        "live",
        "provinces",
        "provinces/H36",
        "timeline",
        "matrix",
        "statistics?measure=documents",
        "indicators",
        "documents",
        "documents/H36/0",
        "waiting",
        "refusals",
        "agencies",
        "certificates",
        "evidence",
        "acts",
        "accounts",
    ] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.code()), (401, "SIGN_IN_REQUIRED".to_owned()), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    assert_eq!(browser.json("session").await["admitted"], false);
    for path in ["/", "/assets/console.js", "/checkpoint", "/healthz", "/metrics"] {
        assert_eq!(page(&world, path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn whoever_sees_a_province_sees_it_and_what_it_sent_or_received_and_nothing_else() {
    let world = World::start().await;
    let (h36, h34) = (world.client("H36").await, world.client("H34").await);
    let within = document("H36", &["H36.12"]);
    let to_h36 = document("H34", &["H36", "H34.05"]);
    let elsewhere = document("H34", &["H34.05"]);
    h36.submit(world.sealed(&within)).await.unwrap();
    for letter in [&to_h36, &elsewhere] {
        h34.submit(world.sealed(letter)).await.unwrap();
    }
    h34.submit(world.letter("H34", &["nowhere"])).await.unwrap_err();
    let holder = person("H36", "an");
    let browser = signed_in(&world, holder, Role::Viewer, province("H36")).await;

    assert_eq!(places(&browser.json("provinces").await), [Some("H36".to_owned())]);
    let overview = browser.json("overview").await;
    assert_eq!(
        (&overview["today"]["sent"], &overview["undelivered"]["documents"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(browser.json("refusals").await["total"], 0);
    let stuck = browser.json("waiting").await;
    let codes = stuck["mailboxes"].as_array().unwrap().iter();
    let codes: Vec<_> = codes.map(|one| one["agency"]["code"].as_str().unwrap()).collect();
    assert_eq!((codes.len(), stuck["total"].as_u64()), (2, Some(2)));
    assert!(codes.iter().all(|code| code.starts_with("H36")), "{codes:?}");
    let agencies = browser.json("agencies").await;
    let all = agencies["agencies"].as_array().unwrap().iter();
    assert!(all.clone().all(|one| one["province"] == "H36") && all.count() == 4);

    let listed = browser.json("documents").await;
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [json!(to_h36.id.to_string()), json!(within.id.to_string())]);
    let told = browser.json(&format!("documents/H34/{}", to_h36.id)).await;
    let seen = told["deliveries"].as_array().unwrap().iter();
    let seen: Vec<_> = seen.map(|one| one["recipient"]["code"].clone()).collect();
    assert_eq!((seen, &told["progress"]), (vec![json!("H36")], &Value::Null));
    let counted = ["recipients", "deliveries_total", "explained"].map(|field| &told[field]);
    assert_eq!(counted, [&json!(2), &json!(1), &json!(1)], "of two, one may be seen");
    for path in [format!("documents/H34/{}", elsewhere.id), "provinces/H34".to_owned()] {
        assert_eq!(browser.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(browser.json(&format!("documents?q={}", elsewhere.id)).await, json!([]));
    for path in ["acts", "accounts"] {
        let refused = browser.get(path).await;
        assert_eq!(
            (refused.status, refused.code()),
            (403, "CALLER_NOT_ENTITLED".to_owned()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_appointment_that_ends_ends_what_is_seen_at_once() {
    let world = World::start().await;
    let holder = person("H36", "an");
    let browser = signed_in(&world, holder.clone(), Role::Viewer, province("H36")).await;
    assert_eq!(browser.get("overview").await.status, 200);
    let until = Some(Day(1));
    let ended =
        Appointment { holder, role: Role::Viewer, territory: province("H36"), from: Day(0), until };
    world.hub().administer(Command::ChangeAppointments(vec![ended])).await.unwrap();
    assert_eq!(browser.get("overview").await.code(), "SIGN_IN_REQUIRED");
    let mut again = Browser::at(&world);
    assert_eq!(again.sign_in("H36/an", PASSWORD).await.code(), "SIGN_IN_FAILED");
}

// Accounts.

#[tokio::test]
async fn an_administrator_makes_accounts_within_its_territory_and_the_journal_says_so() {
    let world = World::start().await;
    let boss =
        signed_in(&world, person("H36", "chief"), Role::Administrator, province("H36")).await;
    let set = |person: &str, kind: &str, code: Value| {
        json!({ "person": person, "password": PASSWORD, "role": "viewer",
                "territory": { "kind": kind, "code": code } })
    };
    let own = set("H36.12/an", "agency", json!("H36.12"));
    assert_eq!(boss.change("PUT", "accounts", own).await.status, 200);
    for beyond in [
        set("H34/an", "province", json!("H34")),
        set("H36/an", "country", Value::Null),
        json!({ "person": "G22/binh.tran", "password": PASSWORD }),
    ] {
        let refused = boss.change("PUT", "accounts", beyond).await;
        assert_eq!((refused.status, refused.code()), (403, "CALLER_NOT_ENTITLED".to_owned()));
    }
    let mut made = Browser::at(&world);
    assert_eq!(made.sign_in("H36.12/an", PASSWORD).await.status, 200);

    let country = signed_in(&world, person("G22", "eve"), Role::Viewer, Territory::Country).await;
    let acts = country.json("acts").await;
    let by_boss: Vec<_> =
        acts.as_array().unwrap().iter().filter(|act| act["by"] == "H36/chief").collect();
    let kinds: Vec<_> = by_boss.iter().map(|act| act["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["change-accounts", "change-appointments"]);
    assert!(by_boss[0]["what"]["en"].as_str().unwrap().contains("H36.12/an (password-set)"));
    let journal = std::fs::read_dir(world.data().join("journal")).unwrap();
    for file in journal.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()) {
        let found = file.windows(9).any(|nine| nine == b"$argon2id");
        assert!(!found, "a hash is in the journal");
    }

    let removed = boss.change("DELETE", "accounts?person=H36.12/an", Value::Null).await;
    assert_eq!(removed.status, 200);
    assert_eq!(made.get("overview").await.code(), "SIGN_IN_REQUIRED", "its session has ended");
    assert_eq!(made.sign_in("H36.12/an", PASSWORD).await.code(), "SIGN_IN_FAILED");
}

#[tokio::test]
async fn nobody_takes_over_an_account_that_may_more_than_they_do() {
    let world = World::start().await;
    let chief =
        signed_in(&world, person("H36", "chief"), Role::Administrator, province("H36")).await;
    // Of an agency of the province, and administers the country.
    appoint(&world, person("H36.12", "an"), Role::Administrator, Territory::Country).await;
    let taken = json!({ "person": "H36.12/an", "password": PASSWORD });
    assert_eq!(chief.change("PUT", "accounts", taken).await.code(), "CALLER_NOT_ENTITLED");
}

#[tokio::test]
async fn everybody_sets_their_own_password_and_has_to_know_the_one_before() {
    let world = World::start().await;
    let an = signed_in(&world, person("H36", "an"), Role::Viewer, province("H36")).await;
    let wrong = json!({ "password": "another one quite", "new": "a brand new password" });
    assert_eq!(an.change("POST", "session/password", wrong).await.code(), "SIGN_IN_FAILED");
    let short = json!({ "password": PASSWORD, "new": "short" });
    assert_eq!(an.change("POST", "session/password", short).await.code(), "FIELD_INVALID");
    let right = json!({ "password": PASSWORD, "new": "a brand new password" });
    assert_eq!(an.change("POST", "session/password", right).await.status, 200);
    assert_eq!(an.get("overview").await.code(), "SIGN_IN_REQUIRED");
    let mut again = Browser::at(&world);
    assert_eq!(again.sign_in("H36/an", PASSWORD).await.code(), "SIGN_IN_FAILED");
    assert_eq!(again.sign_in("H36/an", "a brand new password").await.status, 200);
}

#[tokio::test]
async fn a_session_ends_with_its_password_and_its_account_wherever_they_are_changed() {
    let world = World::start().await;
    let other = signed_in(&world, person("H34", "binh"), Role::Viewer, province("H34")).await;
    let holder = person("H36", "an");
    let before = signed_in(&world, holder.clone(), Role::Viewer, province("H36")).await;
    assert_eq!(before.get("overview").await.status, 200);
    let office = office(&world).await;
    office.set_password(&holder, "a brand new password").await.unwrap();
    assert_eq!(before.get("overview").await.code(), "SIGN_IN_REQUIRED");
    let mut again = Browser::at(&world);
    assert_eq!(again.sign_in("H36/an", "a brand new password").await.status, 200);
    office.remove_account(&holder).await.unwrap();
    assert_eq!(again.get("overview").await.code(), "SIGN_IN_REQUIRED");
    assert_eq!(other.get("overview").await.status, 200, "nobody else's has ended");
}

#[tokio::test]
async fn accounts_are_there_after_a_restart_and_sessions_are_not() {
    let mut world = World::start().await;
    let browser = signed_in(&world, person("H36", "an"), Role::Viewer, province("H36")).await;
    world.restart().await;
    let mut again = Browser { address: world.hub().http_address().unwrap(), ..browser };
    assert_eq!(again.get("overview").await.code(), "SIGN_IN_REQUIRED");
    assert_eq!(again.sign_in("H36/an", PASSWORD).await.status, 200);
}

// What protects them.
