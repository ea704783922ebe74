//! Tabs that come and go, leaders that die or freeze, notes that are lost, streams that break, all
//! at random: what reaches the pages of each tab is the log behind its data, every event once.

use proptest::prelude::*;

use super::browser::{Browser, Name};
use crate::live::machine::{Input, Millis, Status};
use crate::live::share;

#[derive(Debug, Clone)]
enum Turn {
    Publish(u64),
    /// A tab whose data is so many events old.
    Open(u64),
    /// Of what the tab said last, so many notes arrive.
    Close(Name, usize),
    Lock,
    Deliver(Name, Name, usize),
    LoseNote(Name, Name),
    Connect(Name),
    Send(Name, u64),
    Heartbeat(Name),
    Break(Name),
    AnswerPoll(Name, bool),
    AnswerFetch(Name, bool),
    Pass(Millis),
    Hide(Name),
    Show(Name),
    Freeze(Name),
    Thaw(Name),
    Settle,
}

const TABS: Name = 5;

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let tab = 0..TABS;
    let turn = prop_oneof![
        4 => (1u64..6).prop_map(Turn::Publish),
        3 => (0u64..20).prop_map(Turn::Open),
        1 => (tab.clone(), 0usize..4).prop_map(|(tab, arrive)| Turn::Close(tab, arrive)),
        4 => Just(Turn::Lock),
        8 => (tab.clone(), tab.clone(), 1usize..5).prop_map(|(from, to, count)| Turn::Deliver(from, to, count)),
        1 => (tab.clone(), tab.clone()).prop_map(|(from, to)| Turn::LoseNote(from, to)),
        5 => tab.clone().prop_map(Turn::Connect),
        6 => (tab.clone(), 1u64..6).prop_map(|(tab, count)| Turn::Send(tab, count)),
        2 => tab.clone().prop_map(Turn::Heartbeat),
        1 => tab.clone().prop_map(Turn::Break),
        3 => (tab.clone(), any::<bool>()).prop_map(|(tab, well)| Turn::AnswerPoll(tab, well)),
        4 => (tab.clone(), prop::bool::weighted(0.8)).prop_map(|(tab, well)| Turn::AnswerFetch(tab, well)),
        2 => (1u64..40_000).prop_map(Turn::Pass),
        1 => tab.clone().prop_map(Turn::Hide),
        1 => tab.clone().prop_map(Turn::Show),
        1 => tab.clone().prop_map(Turn::Freeze),
        2 => tab.prop_map(Turn::Thaw),
        2 => Just(Turn::Settle),
    ];
    proptest::collection::vec(turn, 1..250)
}

/// The tab that is meant: by its place among those that are there.
fn pick(browser: &Browser, name: Name) -> Option<Name> {
    let names = browser.names();
    (!names.is_empty()).then(|| names[name % names.len()])
}

fn turn(browser: &mut Browser, turn: &Turn) {
    let tab = |browser: &Browser, name: &Name| pick(browser, *name);
    match turn {
        Turn::Publish(count) => browser.head += count,
        Turn::Open(age) if browser.tabs.len() < TABS => {
            browser.open(browser.head.saturating_sub(*age));
        }
        Turn::Lock => browser.settle_lock(),
        Turn::Pass(milliseconds) => browser.pass(*milliseconds),
        Turn::Settle => browser.settle(),
        Turn::Deliver(from, to, count) => {
            // Also from tabs that are gone.
            let Some(to) = tab(browser, to) else { return };
            let from = browser.notes.keys().map(|(from, _)| *from).nth(*from).unwrap_or(*from);
            browser.deliver(from, to, *count);
        }
        Turn::LoseNote(from, to) => {
            if let (Some(from), Some(to)) = (tab(browser, from), tab(browser, to))
                && let Some(notes) = browser.notes.get_mut(&(from, to))
            {
                notes.pop_front();
            }
        }
        Turn::Close(name, _)
        | Turn::Connect(name)
        | Turn::Send(name, _)
        | Turn::Heartbeat(name)
        | Turn::Break(name)
        | Turn::AnswerPoll(name, _)
        | Turn::AnswerFetch(name, _)
        | Turn::Hide(name)
        | Turn::Show(name)
        | Turn::Freeze(name)
        | Turn::Thaw(name) => {
            if let Some(name) = tab(browser, name) {
                turn_of(browser, name, turn);
            }
        }
        Turn::Open(_) => {}
    }
}

fn turn_of(browser: &mut Browser, name: Name, turn: &Turn) {
    let is_frozen = browser.tab(name).frozen;
    match turn {
        Turn::Close(_, arrive) => browser.close(name, *arrive),
        Turn::Connect(_) => browser.connect(name),
        Turn::Send(_, count) => browser.send(name, *count),
        Turn::Heartbeat(_) => browser.beat(name),
        Turn::Break(_) if !is_frozen && browser.tab(name).source.is_some() => {
            browser.hear(name, share::Input::SourceFailed);
        }
        Turn::AnswerPoll(_, well) => browser.answer_poll(name, *well),
        Turn::AnswerFetch(_, well) => browser.answer_fetch(name, *well),
        Turn::Hide(_) if !is_frozen => browser.take(name, Input::Hidden),
        Turn::Show(_) if !is_frozen => browser.take(name, Input::Visible),
        Turn::Freeze(_) => browser.tab(name).frozen = true,
        Turn::Thaw(_) => browser.tab(name).frozen = false,
        _ => {}
    }
}

/// All is well again.
fn recover(browser: &mut Browser) {
    for name in browser.names() {
        browser.tab(name).frozen = false;
    }
    for name in browser.names() {
        browser.take(name, Input::Visible);
    }
    for _ in 0..8 {
        browser.settle();
        browser.pass(21_000);
        for name in browser.names() {
            browser.beat(name);
        }
    }
    browser.settle();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_event_reaches_every_tab_once_and_in_order(turns in turns(), capacity in 0usize..12) {
        let mut browser = Browser::new(capacity);
        for one in &turns {
            turn(&mut browser, one);
        }
        recover(&mut browser);
        prop_assert!(browser.streams().len() <= 1, "{:?}", browser.streams());
        for (name, tab) in &browser.tabs {
            prop_assert_eq!(browser.status(*name), Status::Live);
            prop_assert_eq!(&tab.read_anew, &[] as &[u64], "nothing was lost");
            prop_assert_eq!(&tab.got, &(tab.began + 1..=browser.head).collect::<Vec<_>>(), "tab {}", name);
        }
    }
}
