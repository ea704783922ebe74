//! One path a test.

use serde_json::json;
use tidewatch_events::stream::{SystemCode, SystemMessage};

use super::super::{CONNECT_TIMEOUT_MS, HIDDEN_GRACE_MS, LONGEST_MS, SHORTEST_MS, Status};
use super::*;

fn says(code: SystemCode, data: Option<Value>) -> Input {
    Input::System(SystemMessage { code, message: String::new(), data })
}

fn opens(effects: &[Effect]) -> Option<&str> {
    effects.iter().find_map(|effect| match effect {
        Effect::OpenStream { after } => Some(after.as_str()),
        _ => None,
    })
}

#[test]
fn opens_behind_the_page_s_data_and_goes_live() {
    let mut machine = Machine::default();
    let effects = machine.step(Input::Start { after: "pos_x".into(), position: at(10) }, 0, 0.0);
    assert_eq!(opens(&effects), Some("pos_x"));
    assert_eq!(machine.status(), Status::Connecting);
    machine.step(connected(10), 5, 0.0);
    assert_eq!(machine.status(), Status::Live);
}

#[test]
fn drops_repeats_by_id_and_what_the_page_s_data_contains() {
    let mut bench = Bench::live();
    assert_eq!(delivered(&bench.step(arrives(9))), [] as [u64; 0]);
    assert_eq!(delivered(&bench.step(arrives(11))), [11]);
    assert_eq!(delivered(&bench.step(arrives(11))), [] as [u64; 0]);
}

#[test]
fn an_urgent_event_that_overtakes_hides_none_of_those_it_overtook() {
    let mut bench = Bench::live();
    let order: Vec<u64> =
        [14, 11, 12, 13, 15].into_iter().flat_map(|n| delivered(&bench.step(arrives(n)))).collect();
    assert_eq!(order, [14, 11, 12, 13, 15]);
}

#[test]
fn resumes_behind_the_last_event_or_heartbeat() {
    let mut bench = Bench::live();
    bench.step(arrives(11));
    bench.step(Input::Failed);
    assert_eq!(opens(&bench.pass(LONGEST_MS)), Some(event(11).event_id.to_string().as_str()));
    bench.step(connected(11));
    bench.step(Input::Heartbeat { id: "pos_h".into(), position: at(40) });
    bench.step(Input::Failed);
    assert_eq!(opens(&bench.pass(LONGEST_MS)), Some("pos_h"));
}

#[test]
fn silence_of_two_heartbeats_is_a_loss_and_one_is_not() {
    let mut bench = Bench::live();
    bench.pass(29_999);
    assert_eq!(bench.machine.status(), Status::Live);
    assert!(bench.pass(1).contains(&Effect::CloseStream));
    assert!(
        matches!(bench.machine.status(), Status::Reconnecting { at: Some(at) } if at >= bench.now + SHORTEST_MS)
    );
}

#[test]
fn a_stream_that_never_says_connected_is_lost() {
    let mut bench = Bench::opening();
    assert!(bench.pass(CONNECT_TIMEOUT_MS).contains(&Effect::CloseStream));
}

#[test]
fn a_failed_open_asks_by_a_poll_why() {
    let mut bench = Bench::opening();
    let effects = bench.step(Input::Failed);
    assert!(effects.contains(&Effect::Poll { after: "10".into(), wait_seconds: 0 }), "{effects:?}");
    bench.step(Input::Polled(Polled::Unauthorized));
    assert_eq!(bench.machine.status(), Status::SignedOut);
    assert_eq!(bench.pass(600_000), [], "signed out is quiet");
    assert!(opens(&bench.step(Input::Visible)).is_some(), "somebody may have signed in again");
}

#[test]
fn polls_after_three_failures_and_tries_the_stream_behind_it() {
    let mut bench = Bench::polling();
    assert_eq!(bench.machine.status(), Status::Polling);
    let effects = bench.pass(1_000);
    assert!(effects.contains(&Effect::Poll { after: "10".into(), wait_seconds: 25 }), "{effects:?}");
    assert_eq!(delivered(&bench.step(page(&[11, 12], 14))), [11, 12]);
    let mut attempt = bench.pass(LONGEST_MS);
    attempt.extend(bench.pass(1));
    assert_eq!(opens(&attempt), Some("14"));
    let effects = bench.step(connected(14));
    assert_eq!(bench.machine.status(), Status::Live);
    assert!(effects.contains(&Effect::CancelPoll));
    assert_eq!(delivered(&bench.step(arrives(12))), [] as [u64; 0], "polled already");
}

#[test]
fn reconnects_rather_than_polls_when_polls_fail_too() {
    let mut bench = Bench::opening();
    for _ in 0..4 {
        bench.step(Input::Failed);
        bench.step(Input::Polled(Polled::Failed { retry_after: None }));
        assert!(matches!(bench.machine.status(), Status::Reconnecting { .. }));
        bench.pass(LONGEST_MS);
    }
}

#[test]
fn a_gap_sends_the_pages_to_read_anew_once() {
    let mut bench = Bench::opening();
    let effects = bench.step(Input::Connected { position: at(90), heartbeat: 15_000, recovered: false });
    assert!(effects.contains(&Effect::Refetch { behind: at(90) }));
    assert_eq!(bench.step(says(SystemCode::HistoryGap, None)), []);
    assert_eq!(delivered(&bench.step(arrives(91))), [91]);
}

#[test]
fn a_gap_in_a_poll_goes_on_from_the_present() {
    let mut bench = Bench::polling();
    bench.pass(1_000);
    let effects = bench.step(Input::Polled(Polled::Gap));
    assert_eq!(effects, [Effect::Poll { after: "latest".into(), wait_seconds: 0 }]);
    let effects = bench.step(page(&[], 70));
    assert!(effects.contains(&Effect::Refetch { behind: at(70) }), "{effects:?}");
}

#[test]
fn a_draining_server_is_left_and_come_back_to_when_it_says() {
    let mut bench = Bench::live();
    let effects = bench.step(says(SystemCode::ServerDraining, Some(json!({ "retryMs": 3_000 }))));
    assert_eq!(effects, [Effect::CloseStream]);
    assert_eq!(bench.machine.status(), Status::Reconnecting { at: Some(bench.now + 3_000) });
    assert!(opens(&bench.pass(3_000)).is_some());
}

#[test]
fn a_session_that_ends_signs_out() {
    let mut bench = Bench::live();
    assert_eq!(
        bench.step(says(SystemCode::SessionExpired, None)),
        [Effect::CloseStream, Effect::Refetch { behind: at(10) }]
    );
    assert_eq!(bench.machine.status(), Status::SignedOut);
}

#[test]
fn changed_permissions_make_the_pages_read_anew() {
    let mut bench = Bench::live();
    assert_eq!(bench.step(says(SystemCode::PermissionsChanged, None)), [Effect::Refetch { behind: at(10) }]);
    assert_eq!(bench.machine.status(), Status::Live);
}

#[test]
fn rests_in_the_background_after_a_while_and_catches_up() {
    let mut bench = Bench::live();
    bench.step(Input::Hidden);
    assert_eq!(bench.pass(HIDDEN_GRACE_MS - 1), []);
    assert_eq!(bench.pass(1), [Effect::CloseStream]);
    assert_eq!(bench.machine.status(), Status::Paused);
    assert_eq!(bench.pass(3_600_000), []);
    assert_eq!(opens(&bench.step(Input::Visible)), Some("10"));
}

#[test]
fn a_short_look_elsewhere_changes_nothing() {
    let mut bench = Bench::live();
    bench.step(Input::Hidden);
    bench.pass(5_000);
    bench.step(Input::Visible);
    assert_eq!(bench.pass(20_000), []);
    assert_eq!(bench.machine.status(), Status::Live);
}

#[test]
fn being_offline_is_believed_once_a_poll_fails() {
    let mut bench = Bench::live();
    let effects = bench.step(Input::Offline);
    assert_eq!(effects, [Effect::Poll { after: "10".into(), wait_seconds: 0 }]);
    assert_eq!(bench.step(Input::Polled(Polled::Failed { retry_after: None })), [Effect::CloseStream]);
    assert_eq!(bench.machine.status(), Status::Offline);
    assert!(opens(&bench.step(Input::Online)).is_some());
}

#[test]
fn being_offline_is_not_believed_when_the_service_answers() {
    let mut bench = Bench::live();
    bench.step(Input::Offline);
    assert_eq!(bench.step(page(&[], 10)), []);
    assert_eq!(bench.machine.status(), Status::Live);
    assert_eq!(bench.pass(5_000), []);
}

#[test]
fn a_stream_that_dies_at_once_again_and_again_leads_to_polling() {
    let mut bench = Bench::opening();
    for _ in 0..3 {
        bench.step(connected(10));
        bench.step(Input::Failed);
        bench.pass(LONGEST_MS);
    }
    assert!(matches!(bench.machine.poll, super::super::Poll::UnderWay { .. }));
}

#[test]
fn rights_that_changed_while_nothing_was_heard_make_the_pages_read_anew() {
    let mut bench = Bench::live();
    assert!(!reads_anew(&bench.step(Input::Rights("one".into()))), "the first that is heard of");
    assert!(!reads_anew(&bench.step(Input::Rights("one".into()))), "the same");
    assert!(reads_anew(&bench.step(Input::Rights("two".into()))), "others");
    bench.step(says(SystemCode::PermissionsChanged, None));
    assert!(!reads_anew(&bench.step(Input::Rights("three".into()))), "of these the stream has told already");
}

fn reads_anew(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Refetch { .. }))
}
