//! One path a test.

use serde_json::json;
use tidewatch_events::stream::{SystemCode, SystemMessage};

use super::browser::{Browser, Name, heard};
use crate::live::heard::Heard;
use crate::live::machine::{CONNECT_TIMEOUT_MS, HIDDEN_GRACE_MS, Input, LONGEST_MS, Polled, Status};
use crate::live::share;

/// So many tabs whose data contains everything, all live. The first one leads.
fn live(count: usize) -> (Browser, Vec<Name>) {
    let mut browser = Browser::new(100);
    let tabs = (0..count).map(|_| browser.open(10)).collect();
    browser.settle();
    (browser, tabs)
}

fn publish(browser: &mut Browser, count: u64) {
    browser.head += count;
    browser.settle();
}

fn says(code: SystemCode, data: Option<serde_json::Value>) -> share::Input {
    share::Input::Source(vec![Heard::System(SystemMessage { code, message: String::new(), data })])
}

#[test]
fn twelve_tabs_are_live_by_one_stream() {
    let (mut browser, tabs) = live(12);
    assert_eq!(browser.streams(), [tabs[0]]);
    publish(&mut browser, 3);
    for tab in tabs {
        assert_eq!(browser.status(tab), Status::Live);
        assert_eq!(browser.tabs[&tab].got, [11, 12, 13]);
    }
}

#[test]
fn a_late_tab_is_given_what_it_lacks_and_fetches_nothing() {
    let (mut browser, _) = live(1);
    publish(&mut browser, 5);
    let late = browser.open(12);
    browser.settle_lock();
    browser.deliver_all();
    assert_eq!(browser.tabs[&late].fetch, None);
    assert_eq!(browser.tabs[&late].got, [13, 14, 15]);
}

#[test]
fn a_tab_that_is_older_than_what_the_leader_knows_fetches_the_rest_and_loses_nothing_meanwhile() {
    let (mut browser, _) = live(1);
    let late = browser.open(3);
    browser.settle_lock();
    browser.deliver_all();
    assert!(browser.tabs[&late].fetch.is_some());
    // The leader goes on meanwhile.
    publish_by_stream(&mut browser, 2);
    browser.answer_fetch(late, true);
    assert_eq!(browser.tabs[&late].got, [4, 5, 6, 7], "the first page");
    browser.answer_fetch(late, true);
    assert_eq!(browser.tabs[&late].got, (4..=12).collect::<Vec<_>>());
    assert_eq!(browser.status(late), Status::Live);
}

fn publish_by_stream(browser: &mut Browser, count: u64) {
    browser.head += count;
    for tab in browser.streams() {
        browser.send(tab, count);
    }
    browser.deliver_all();
}

#[test]
fn what_cannot_be_fetched_any_more_is_a_gap() {
    let (mut browser, _) = live(1);
    browser.oldest = 8;
    let late = browser.open(3);
    browser.settle();
    assert_eq!(browser.tabs[&late].read_anew, [10]);
    publish(&mut browser, 1);
    assert_eq!(browser.tabs[&late].got, [11]);
}

#[test]
fn a_fetch_that_fails_is_not_passed_over() {
    let (mut browser, _) = live(1);
    let late = browser.open(3);
    browser.settle_lock();
    browser.deliver_all();
    browser.answer_fetch(late, false);
    assert!(matches!(browser.status(late), Status::Reconnecting { .. }));
    browser.pass(LONGEST_MS);
    browser.settle();
    assert_eq!(browser.tabs[&late].got, (4..=10).collect::<Vec<_>>());
    assert_eq!(browser.status(late), Status::Live);
}

#[test]
fn a_dead_leader_s_last_words_are_not_needed() {
    let (mut browser, tabs) = live(3);
    browser.head += 4;
    browser.send(tabs[0], 4);
    // One tab hears two of the four events, the other none; then the leader is gone.
    browser.deliver(tabs[0], tabs[1], 2);
    browser.close(tabs[0], 0);
    browser.head += 1;
    browser.settle();
    assert_eq!(browser.streams(), [tabs[1]]);
    for tab in [tabs[1], tabs[2]] {
        assert_eq!(browser.tabs[&tab].got, [11, 12, 13, 14, 15]);
        assert_eq!(browser.status(tab), Status::Live, "and nobody saw it");
    }
}

#[test]
fn who_leads_before_it_has_caught_up_gives_only_what_it_has() {
    let (mut browser, tabs) = live(1);
    let late = browser.open(3);
    browser.settle_lock();
    browser.deliver_all();
    browser.answer_fetch(late, true);
    assert_eq!(browser.tabs[&late].got, [4, 5, 6, 7], "the first page");
    browser.close(tabs[0], 0);
    let later = browser.open(5);
    browser.settle();
    assert_eq!(browser.streams(), [late]);
    assert_eq!(browser.tabs[&late].got, (4..=10).collect::<Vec<_>>());
    assert_eq!(browser.tabs[&later].got, (6..=10).collect::<Vec<_>>());
}

#[test]
fn what_a_follower_polled_for_itself_it_does_not_give_on() {
    let (mut browser, tabs) = live(3);
    browser.head += 2;
    // Its network is said to be gone, so it asks.
    browser.take(tabs[1], Input::Offline);
    browser.answer_poll(tabs[1], true);
    assert_eq!(browser.tabs[&tabs[1]].got, [11, 12]);
    browser.close(tabs[0], 0);
    browser.settle();
    assert_eq!(browser.streams(), [tabs[1]]);
    assert_eq!(browser.tabs[&tabs[2]].got, [11, 12]);
}

#[test]
fn a_note_that_was_missed_is_noticed() {
    let (mut browser, tabs) = live(2);
    browser.head += 3;
    browser.send(tabs[0], 3);
    browser.notes.get_mut(&(tabs[0], tabs[1])).expect("notes").remove(1);
    browser.settle();
    assert_eq!(browser.tabs[&tabs[1]].got, [11, 12, 13]);
}

#[test]
fn a_leader_in_the_background_hands_over_and_comes_back_as_a_follower() {
    let (mut browser, tabs) = live(2);
    browser.take(tabs[0], Input::Hidden);
    browser.pass(HIDDEN_GRACE_MS / 2);
    browser.beat(tabs[0]);
    browser.deliver_all();
    browser.pass(HIDDEN_GRACE_MS / 2);
    browser.settle();
    assert_eq!(browser.status(tabs[0]), Status::Paused);
    assert_eq!(browser.streams(), [tabs[1]]);
    publish(&mut browser, 2);
    browser.take(tabs[0], Input::Visible);
    browser.settle();
    assert_eq!(browser.streams(), [tabs[1]]);
    assert_eq!(browser.tabs[&tabs[0]].got, [11, 12]);
}

#[test]
fn where_all_tabs_are_in_the_background_there_is_no_stream() {
    let (mut browser, tabs) = live(3);
    for tab in &tabs {
        browser.take(*tab, Input::Hidden);
    }
    browser.pass(HIDDEN_GRACE_MS);
    browser.settle();
    assert_eq!(browser.streams(), [] as [Name; 0]);
    assert_eq!(browser.lock, None);
}

#[test]
fn a_frozen_leader_is_robbed_and_finds_out() {
    let (mut browser, tabs) = live(3);
    browser.tab(tabs[0]).frozen = true;
    browser.head += 2;
    // Silence, and then nobody answers.
    for wait in [30_000, 1_000, CONNECT_TIMEOUT_MS, LONGEST_MS, 1_000] {
        browser.pass(wait);
        browser.settle();
    }
    for tab in [tabs[1], tabs[2]] {
        assert_eq!(browser.status(tab), Status::Live);
        assert_eq!(browser.tabs[&tab].got, [11, 12]);
    }
    browser.tab(tabs[0]).frozen = false;
    browser.settle();
    browser.pass(LONGEST_MS);
    browser.settle();
    assert_eq!(browser.streams().len(), 1);
    assert_ne!(browser.streams(), [tabs[0]]);
    publish(&mut browser, 1);
    assert_eq!(browser.tabs[&tabs[0]].got, [11, 12, 13]);
}

#[test]
fn a_lost_stream_is_the_leader_s_to_open_again_and_all_show_it() {
    let (mut browser, tabs) = live(3);
    browser.hear(tabs[0], share::Input::SourceFailed);
    browser.deliver_all();
    for tab in &tabs {
        assert!(matches!(browser.status(*tab), Status::Reconnecting { .. }));
    }
    browser.head += 1;
    browser.pass(LONGEST_MS);
    browser.settle();
    assert_eq!(browser.streams(), [tabs[0]]);
    for tab in &tabs {
        assert_eq!(browser.status(*tab), Status::Live);
        assert_eq!(browser.tabs[tab].got, [11]);
    }
}

#[test]
fn one_tab_polls_for_all() {
    let (mut browser, tabs) = live(3);
    for _ in 0..5 {
        browser.hear(tabs[0], share::Input::SourceFailed);
        browser.answer_poll(tabs[0], true);
        browser.deliver_all();
        browser.pass(1_000);
    }
    browser.head += 2;
    browser.answer_poll(tabs[0], true);
    browser.deliver_all();
    for tab in &tabs {
        assert_eq!(browser.status(*tab), Status::Polling);
        assert_eq!(browser.tabs[tab].got, [11, 12]);
    }
    // For as long as a poll may take, nobody else begins.
    browser.pass(26_000);
    assert_eq!(browser.tabs.values().filter(|tab| tab.poll.is_some()).count(), 1);
    let late = browser.open(10);
    browser.deliver_all();
    assert_eq!(browser.status(late), Status::Polling, "who comes meanwhile hears of it, too");
    assert_eq!(browser.tabs[&late].got, [11, 12]);
}

#[test]
fn history_that_is_lost_in_a_poll_is_lost_for_all() {
    let (mut browser, tabs) = live(2);
    for _ in 0..4 {
        browser.hear(tabs[0], share::Input::SourceFailed);
        browser.answer_poll(tabs[0], true);
        browser.deliver_all();
        browser.pass(1_000);
    }
    browser.head = 60;
    browser.oldest = 50;
    browser.answer_poll(tabs[0], true);
    browser.answer_poll(tabs[0], true);
    browser.deliver_all();
    for tab in &tabs {
        assert_eq!(browser.tabs[tab].read_anew, [60]);
    }
}

#[test]
fn another_history_is_not_counted_on() {
    let (mut browser, tabs) = live(2);
    // A backup is put back: the same numbers are other events now.
    browser.epoch = 2;
    browser.head = 20;
    let late = browser.open(15);
    browser.deliver_all();
    assert_eq!(browser.tabs[&late].read_anew.len(), 1, "the leader counts in the old one");
    browser.hear(tabs[0], share::Input::SourceFailed);
    browser.pass(LONGEST_MS);
    browser.settle();
    for tab in [tabs[0], tabs[1], late] {
        assert_eq!(browser.tabs[&tab].read_anew.last(), Some(&20), "tab {tab}");
    }
}

#[test]
fn what_the_service_tells_reaches_all() {
    let (mut browser, tabs) = live(2);
    browser.hear(tabs[0], says(SystemCode::PermissionsChanged, None));
    browser.deliver_all();
    assert_eq!(browser.tabs[&tabs[1]].read_anew, [10]);
    browser.hear(tabs[0], says(SystemCode::HistoryGap, Some(json!({ "position": 12 }))));
    browser.deliver_all();
    assert_eq!(browser.tabs[&tabs[1]].read_anew, [10, 12]);
    browser.hear(tabs[0], says(SystemCode::ServerDraining, Some(json!({ "retryMs": 2_000 }))));
    browser.deliver_all();
    for tab in &tabs {
        assert!(matches!(browser.status(*tab), Status::Reconnecting { .. }));
    }
    browser.pass(2_000);
    browser.settle();
    for tab in &tabs {
        assert_eq!(browser.status(*tab), Status::Live);
    }
    browser.hear(tabs[0], says(SystemCode::SessionExpired, None));
    browser.deliver_all();
    for tab in &tabs {
        assert_eq!(browser.status(*tab), Status::SignedOut);
    }
    assert_eq!(browser.lock, None);
}

#[test]
fn a_session_that_a_poll_finds_ended_has_ended_for_all() {
    let (mut browser, tabs) = live(2);
    browser.take(tabs[0], Input::Offline);
    assert!(browser.tab(tabs[0]).poll.take().is_some());
    browser.polled(tabs[0], None, Polled::Unauthorized);
    browser.deliver_all();
    assert_eq!(browser.status(tabs[1]), Status::SignedOut);
}

#[test]
fn events_of_before_a_change_of_rights_are_given_to_nobody() {
    let (mut browser, tabs) = live(1);
    browser.open(10);
    publish(&mut browser, 5);
    browser.hear(tabs[0], says(SystemCode::PermissionsChanged, None));
    let late = browser.open(12);
    browser.settle_lock();
    browser.deliver_all();
    assert!(browser.tabs[&late].fetch.is_some(), "it asks the service, with the rights of now");
}

#[test]
fn an_urgent_event_that_overtook_others_hides_none_from_who_comes_later() {
    let (mut browser, tabs) = live(2);
    let Heard::Event { envelope, .. } = heard(13) else { panic!("an event") };
    let urgent = Heard::Event { id: browser.token(10), envelope };
    browser.head = 13;
    browser.hear(tabs[0], share::Input::Source(vec![urgent]));
    browser.deliver_all();
    let late = browser.open(10);
    browser.settle();
    assert_eq!(browser.tabs[&late].got, [13, 11, 12]);
    browser.close(tabs[0], 0);
    browser.settle();
    for tab in [tabs[1], late] {
        assert_eq!(browser.tabs[&tab].got, [13, 11, 12]);
    }
}

#[test]
fn a_tab_that_lives_on_after_it_left_connects_anew() {
    let (mut browser, tabs) = live(2);
    browser.leave(tabs[0]);
    browser.settle();
    assert_eq!(browser.streams(), [tabs[1]]);
    publish(&mut browser, 2);
    browser.pass(LONGEST_MS);
    browser.settle();
    assert_eq!(browser.tabs[&tabs[0]].got, [11, 12]);
    assert_eq!(browser.status(tabs[0]), Status::Live);
}
