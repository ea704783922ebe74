//! Where the machine resumes, what it delivers, and what it says of gaps.

use serde_json::json;

use super::*;
use crate::notice::GapCause;

/// Where the next stream is opened, when this one is lost now.
fn resumes(bench: &mut Bench) -> Option<ResumePoint> {
    bench.step(lost());
    opened_behind(&bench.pass(20_000))
}

fn id_of(number: u64) -> ResumePoint {
    ResumePoint::Event(event(number).event_id)
}

#[test]
fn resumes_behind_the_last_message() {
    let mut bench = Bench::live();
    bench.step(arrives(11));
    bench.step(arrives(12));
    assert_eq!(resumes(&mut bench), Some(id_of(12)));
    bench.step(connected(12));
    bench.step(heartbeat(20));
    assert_eq!(resumes(&mut bench), Some(token(20)), "past what a narrow filter hides");
}

#[test]
fn whoever_begins_at_the_present_has_a_place_from_the_first_word_on() {
    for point in [ResumePoint::Latest, ResumePoint::Earliest] {
        let mut bench = Bench::opening_behind(point);
        bench.step(lost());
        assert_eq!(opened_behind(&bench.pass(20_000)), Some(point), "nothing was heard");
        assert!(bench.step(connected(30)).contains(&Effect::Reached(token(30))));
        assert_eq!(resumes(&mut bench), Some(token(30)));
    }
}

#[test]
fn the_place_is_told_before_the_event_that_completes_it() {
    let mut bench = Bench::live();
    assert_eq!(bench.step(arrives(11)), [Effect::Reached(id_of(11)), Effect::Deliver(Box::new(event(11)))]);
    let effects = bench.step(batch(&[12, 13, 14]));
    assert_eq!(
        effects,
        [
            Effect::Deliver(Box::new(event(12))),
            Effect::Deliver(Box::new(event(13))),
            Effect::Reached(id_of(14)),
            Effect::Deliver(Box::new(event(14))),
        ],
        "in a batch only the last one does"
    );
}

#[test]
fn an_urgent_event_leaves_the_place_where_it_was() {
    let mut bench = Bench::live();
    bench.step(arrives(11));
    assert_eq!(bench.step(overtakes(15, id_of(11))), [Effect::Deliver(Box::new(event(15)))]);
    assert_eq!(resumes(&mut bench), Some(id_of(11)));
    bench.step(connected(11));
    let again: Vec<u64> = (12..=16).flat_map(|number| delivered(&bench.step(arrives(number)))).collect();
    assert_eq!(again, [12, 13, 14, 16], "those that were overtaken, and the urgent one not twice");
}

#[test]
fn repeats_are_dropped() {
    let mut bench = Bench::live();
    bench.step(arrives(11));
    assert_eq!(bench.step(arrives(11)), []);
    assert_eq!(delivered(&bench.step(arrives(9))), [0; 0], "what the reader began with");
    bench.step(heartbeat(40));
    assert_eq!(bench.step(arrives(11)), [], "and do not take the reader back");
    assert_eq!(delivered(&bench.step(arrives(39))), [0; 0], "what was offered long ago");
    assert_eq!(delivered(&bench.step(batch(&[38, 41, 41, 42]))), [41, 42]);
}

#[test]
fn a_gap_is_told_once_and_the_stream_goes_on() {
    let mut bench = Bench::live();
    bench.step(arrives(11));
    bench.step(lost());
    bench.pass(20_000);
    let gap = Gap { behind: at(500), cause: GapCause::History };
    let effects = bench.step(connected_with(500, false, ""));
    assert_eq!(gaps(&effects), [gap]);
    assert!(effects.contains(&Effect::Reached(token(500))));
    let message = says(SystemCode::HistoryGap, json!({ "oldestPosition": 400, "position": 500 }));
    assert!(matches!(bench.step(message)[..], [Effect::System(_)]), "it was told");
    assert_eq!(delivered(&bench.step(arrives(501))), [501]);
    bench.step(lost());
    bench.pass(20_000);
    assert_eq!(gaps(&bench.step(connected(501))), []);
}

#[test]
fn a_gap_amid_the_stream_is_told() {
    let mut bench = Bench::live();
    let message = says(SystemCode::HistoryGap, json!({ "oldestPosition": 400, "position": 500 }));
    assert_eq!(gaps(&bench.step(message)), [Gap { behind: at(500), cause: GapCause::History }]);
    assert_eq!(delivered(&bench.step(arrives(500))), [0; 0]);
    assert_eq!(resumes(&mut bench), Some(token(500)), "in the history of the token that it had");
}

#[test]
fn after_a_restored_backup_positions_count_anew() {
    let mut bench = Bench::live();
    bench.step(arrives(11));
    bench.step(lost());
    bench.pass(20_000);
    bench.step(connected_with(3, false, ""));
    assert_eq!(delivered(&bench.step(arrives(4))), [4], "smaller than those before");
    assert_eq!(delivered(&bench.step(arrives(11))), [11], "even an id that was there");
}

#[test]
fn other_rights_are_a_gap() {
    let told = [Gap { behind: at(10), cause: GapCause::Rights }];
    let mut bench = Bench::opening();
    assert_eq!(gaps(&bench.step(connected_with(10, true, "one"))), []);
    bench.step(lost());
    bench.pass(20_000);
    assert_eq!(gaps(&bench.step(connected_with(10, true, "two"))), told, "they changed in between");
    assert_eq!(gaps(&bench.step(says(SystemCode::PermissionsChanged, json!({})))), told);
    bench.step(lost());
    bench.pass(20_000);
    assert_eq!(gaps(&bench.step(connected_with(10, true, "three"))), [], "of which it was told");
}

#[test]
fn what_cannot_be_read_is_told_and_passed() {
    let unreadable = Unreadable { name: "order.created".into(), data: "{".into(), reason: "no".into() };
    let mut bench = Bench::live();
    let input = Input::Events { id: Some(id_of(11)), events: vec![Err(unreadable.clone())] };
    assert_eq!(bench.step(input), [Effect::Reached(id_of(11)), Effect::Unreadable(unreadable)]);
    assert_eq!(resumes(&mut bench), Some(id_of(11)));
}
