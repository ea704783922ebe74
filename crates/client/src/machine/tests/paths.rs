//! When the machine opens, closes and waits.

use serde_json::json;

use super::*;

#[test]
fn says_when_it_is_live() {
    let mut bench = Bench::opening();
    let effects = bench.step(connected(10));
    assert_eq!(effects[0], Effect::State(State::Live { connection_id: connection() }));
}

#[test]
fn waits_longer_with_each_failure_and_comes_back() {
    let mut bench = Bench::opening();
    let mut waits = Vec::new();
    for _ in 0..7 {
        let (wait, loss) = wait_of(&bench.step(lost())).expect("a loss");
        assert_eq!(loss, Loss::Ended);
        assert_eq!(bench.pass(wait - 1), []);
        assert!(opened_behind(&bench.pass(1)).is_some());
        waits.push(wait);
    }
    // Half way between the shortest wait and the bound.
    assert_eq!(waits, [750, 1_250, 2_250, 4_250, 8_250, 10_250, 10_250]);
}

#[test]
fn a_stream_that_lived_for_a_while_counts_failures_anew() {
    let mut bench = Bench::opening();
    for _ in 0..4 {
        bench.step(lost());
        bench.pass(20_000);
    }
    bench.step(connected(10));
    bench.pass(4_999);
    assert_eq!(wait_of(&bench.step(lost())), Some((8_250, Loss::Ended)), "one that came and went");
    bench.pass(20_000);
    bench.step(connected(10));
    bench.pass(5_000);
    assert_eq!(wait_of(&bench.step(lost())), Some((750, Loss::Ended)));
}

#[test]
fn waits_at_least_as_long_as_it_is_asked_to() {
    let mut bench = Bench::opening();
    let refused = |ms| Input::Lost { loss: Loss::Failed("503".into()), retry_after: Some(ms) };
    assert_eq!(wait_of(&bench.step(refused(7_000))).map(|it| it.0), Some(7_000));
    bench.pass(7_000);
    assert_eq!(wait_of(&bench.step(refused(1))).map(|it| it.0), Some(1_250), "never shorter than its own");
    bench.pass(1_250);
    assert_eq!(wait_of(&bench.step(refused(u64::MAX))).map(|it| it.0), Some(600_000), "nor for ever");
}

#[test]
fn honours_the_retry_line() {
    let mut bench = Bench::live();
    bench.step(Input::Retry(4_000));
    assert_eq!(wait_of(&bench.step(lost())).map(|it| it.0), Some(4_000));
}

#[test]
fn a_stream_that_does_not_answer_is_lost() {
    let mut bench = Bench::opening();
    assert_eq!(bench.pass(9_999), []);
    bench.step(Input::Heard);
    assert_eq!(
        wait_of(&bench.pass(1)),
        Some((750, Loss::NoAnswer)),
        "bytes without `connected` are no answer"
    );
}

#[test]
fn silence_of_two_heartbeats_is_a_loss() {
    let mut bench = Bench::live();
    assert_eq!(bench.pass(29_999), []);
    bench.step(Input::Heard);
    assert_eq!(bench.pass(29_999), [], "any sign of life will do");
    let effects = bench.pass(1);
    assert_eq!(effects[0], Effect::Close);
    assert_eq!(wait_of(&effects), Some((750, Loss::Silence)));
}

#[test]
fn what_came_while_the_reader_was_busy_is_no_silence() {
    let mut bench = Bench::live();
    bench.now += 120_000;
    assert_eq!(delivered(&bench.step(arrives(11))), [11]);
    assert_eq!(bench.pass(29_999), []);
}

#[test]
fn says_when_to_look_again() {
    let mut machine = Machine::new(ResumePoint::Latest, Backoff::default());
    let alarm = |effects: Vec<Effect>| match effects.last() {
        Some(Effect::Schedule { at }) => Some(*at),
        _ => None,
    };
    assert_eq!(alarm(machine.step(Input::Start, 5, 0.5)), Some(10_005));
    assert_eq!(alarm(machine.step(connected(10), 100, 0.5)), Some(30_100));
    assert_eq!(alarm(machine.step(lost(), 200, 0.5)), Some(950));
}

#[test]
fn gives_up_when_it_is_refused_and_stays_so() {
    let mut bench = Bench::opening();
    assert_eq!(bench.step(Input::Refused), [Effect::Close, Effect::GiveUp]);
    assert_eq!(bench.pass(100_000), []);
    assert_eq!(bench.step(Input::Start), []);
    assert_eq!(bench.step(arrives(11)), []);
}

#[test]
fn an_instance_that_goes_down_says_when_to_come_back() {
    let mut bench = Bench::live();
    let effects = bench.step(says(SystemCode::ServerDraining, json!({ "retryMs": 3_333 })));
    assert!(matches!(effects[0], Effect::System(_)));
    assert_eq!(wait_of(&effects), Some((3_333, Loss::Draining)));
    assert_eq!(bench.step(arrives(11)), [], "what was on its way will come again");
    assert!(opened_behind(&bench.pass(3_333)).is_some());
}

#[test]
fn last_words_of_the_service() {
    for (code, loss, wait) in [
        (SystemCode::Lagged, Loss::Lagged, 750),
        (SystemCode::SessionExpired, Loss::Expired, 750),
        (SystemCode::RemovedFromChannel, Loss::Expired, 750),
        (SystemCode::RateLimited, Loss::RateLimited, 9_000),
    ] {
        let mut bench = Bench::live();
        let effects = bench.step(says(code, json!({ "retryMs": 9_000 })));
        assert_eq!(wait_of(&effects), Some((wait, loss)), "{code:?}");
    }
}

#[test]
fn what_asks_for_nothing_is_passed_on_alone() {
    for code in [SystemCode::Success, SystemCode::Error] {
        assert!(matches!(Bench::live().step(says(code, json!({})))[..], [Effect::System(_)]), "{code:?}");
    }
}

#[test]
fn a_heartbeat_that_is_none_does_no_harm() {
    for seconds in [f64::NAN, -1.0, 0.0, f64::INFINITY] {
        let mut bench = Bench::opening();
        let Input::Connected { id, mut connected } = connected(10) else { unreachable!() };
        connected.heartbeat_seconds = seconds;
        bench.step(Input::Connected { id, connected });
        assert_eq!(bench.pass(1_999), [], "{seconds}");
        assert!(wait_of(&bench.pass(1_200_000)).is_some(), "{seconds}");
    }
}
