mod harness;
use harness::*;
#[test]
fn smoke() {
    let mut hub = Hub::new();
    hub.accepted(&draft("G22", &["H36.01"]));
}
