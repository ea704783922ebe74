use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{ConditionOperator, EscalationStep, NotificationAudience, NotificationCondition};
use super::*;

const USER: &str = "usr_01h455vb4pex5vsknk084sn02q";
const ORGANIZATION: &str = "org_01h455vb4pex5vsknk084sn02q";

fn condition(pointer: &str, operator: ConditionOperator, value: Value) -> NotificationCondition {
    NotificationCondition { pointer: pointer.to_owned(), operator, value }
}

fn with(change: impl FnOnce(&mut NotificationNotation)) -> Result<NewNotificationRule, NotationError> {
    let mut notation = NotificationNotation::default();
    change(&mut notation);
    notation.parse()
}

#[test]
fn reads_a_whole_form() {
    let rule = NotificationNotation {
        name: " Failed settlements ".to_owned(),
        types: "settlement.failed, payment.*".to_owned(),
        conditions: "/toStatus = failed\r\n\r\n/amountMinor > 100000\r\n/reason contains 42 gas\r\n/note exists\r\n/network != base"
            .to_owned(),
        audience: format!("role:operator, org:{ORGANIZATION}, user:{USER},\r\npayload:/assigneeId, event"),
        title: "{{/reference}} failed".to_owned(),
        body: "one\r\ntwo".to_owned(),
        link: "/settlements/{{id}}".to_owned(),
        group: "settlement {{id}}".to_owned(),
        priority: "high".to_owned(),
        must_acknowledge: true,
        escalation: format!("300 role:admin\r\n15m role:admin, user:{USER}"),
    }
    .parse()
    .expect("a rule");
    assert_eq!(rule.name, "Failed settlements");
    assert_eq!(rule.types, ["settlement.failed", "payment.*"]);
    assert_eq!(
        rule.conditions,
        [
            condition("/toStatus", ConditionOperator::Equals, json!("failed")),
            condition("/amountMinor", ConditionOperator::GreaterThan, json!(100_000)),
            condition("/reason", ConditionOperator::Contains, json!("42 gas")),
            condition("/note", ConditionOperator::Exists, Value::Null),
            condition("/network", ConditionOperator::NotEquals, json!("base")),
        ]
    );
    let user = NotificationAudience::User { id: USER.parse().expect("an id") };
    assert_eq!(rule.audience.len(), 5);
    assert_eq!(rule.audience[0], NotificationAudience::Role { name: "operator".to_owned() });
    assert_eq!(rule.audience[2], user);
    assert_eq!(rule.audience[3], NotificationAudience::Payload { pointer: "/assigneeId".to_owned() });
    assert_eq!(rule.audience[4], NotificationAudience::Event);
    assert_eq!(rule.template.body, "one\ntwo");
    assert_eq!(rule.priority, NotificationPriority::High);
    let admin = NotificationAudience::Role { name: "admin".to_owned() };
    assert_eq!(
        rule.escalation,
        [
            EscalationStep { after_seconds: 300, audience: vec![admin.clone()] },
            EscalationStep { after_seconds: 900, audience: vec![admin, user] },
        ]
    );
}

#[test]
fn values_are_json_or_bare_words() {
    for (text, value) in [
        ("failed", json!("failed")),
        ("two words", json!("two words")),
        ("\"42\"", json!("42")),
        ("\"\"", json!("")),
        ("42", json!(42)),
        ("1.5", json!(1.5)),
        ("true", json!(true)),
        ("null", Value::Null),
        ("[1,2]", json!([1, 2])),
    ] {
        let rule = with(|notation| notation.conditions = format!("/a = {text}")).expect("a rule");
        assert_eq!(rule.conditions, [condition("/a", ConditionOperator::Equals, value)], "{text}");
    }
}

#[test]
fn times_have_units() {
    for (text, seconds) in
        [("300", 300), ("90s", 90), ("15m", 900), ("2h", 7_200), ("1d", 86_400), ("7d", 604_800)]
    {
        let rule = with(|notation| notation.escalation = format!("{text} event")).expect("a rule");
        assert_eq!(rule.escalation[0].after_seconds, seconds, "{text}");
    }
    let written = |after_seconds| {
        escalation::write(&EscalationStep { after_seconds, audience: vec![NotificationAudience::Event] })
    };
    for (seconds, text) in [(90, "90s"), (300, "5m"), (5_400, "90m"), (7_200, "2h"), (86_400, "1d")] {
        assert_eq!(written(seconds), format!("{text} event"));
    }
}

#[test]
fn says_which_field_is_wrong_and_where() {
    let wrong = |change: fn(&mut NotificationNotation)| with(change).expect_err("it is wrong").to_string();
    for (said, field, part) in [
        (
            wrong(|n| n.conditions = "/a = b\n\ntoStatus = failed".to_owned()),
            "conditions: line 3",
            "begins with /",
        ),
        (wrong(|n| n.conditions = "/a".to_owned()), "conditions: line 1", "a pointer, an operator"),
        (wrong(|n| n.conditions = "/a is b".to_owned()), "conditions: line 1", "\"is\" is no operator"),
        (wrong(|n| n.conditions = "/a =".to_owned()), "conditions: line 1", "value is missing"),
        (wrong(|n| n.conditions = "/a > many".to_owned()), "conditions: line 1", "no number"),
        (wrong(|n| n.conditions = "/a exists 1".to_owned()), "conditions: line 1", "takes no value"),
        (wrong(|n| n.conditions = "/a = \"x".to_owned()), "conditions: line 1", "quotes"),
        (wrong(|n| n.conditions = "\"/a = x".to_owned()), "conditions: line 1", "not closed"),
        (wrong(|n| n.audience = "everybody".to_owned()), "audience", "role:<name>"),
        (wrong(|n| n.audience = "user:ann".to_owned()), "audience", "usr_"),
        (wrong(|n| n.audience = "role:two words".to_owned()), "audience", "does not belong"),
        (wrong(|n| n.priority = "urgent".to_owned()), "priority", "low, normal or high"),
        (wrong(|n| n.escalation = "soon role:admin".to_owned()), "escalation: line 1", "from 1s to 7d"),
        (wrong(|n| n.escalation = "0 role:admin".to_owned()), "escalation: line 1", "from 1s to 7d"),
        (wrong(|n| n.escalation = "8d role:admin".to_owned()), "escalation: line 1", "from 1s to 7d"),
        (wrong(|n| n.escalation = "+5m role:admin".to_owned()), "escalation: line 1", "from 1s to 7d"),
        (wrong(|n| n.escalation = "5mm role:admin".to_owned()), "escalation: line 1", "from 1s to 7d"),
        (wrong(|n| n.escalation = "15m".to_owned()), "escalation: line 1", "whom it tells"),
    ] {
        assert!(said.starts_with(field), "{said}");
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn what_stands_empty_is_as_by_default() {
    let rule = NotificationNotation::default().parse().expect("a rule");
    assert_eq!(rule.priority, NotificationPriority::Normal);
    assert!(rule.types.is_empty() && rule.conditions.is_empty() && rule.audience.is_empty());
    assert!(rule.escalation.is_empty() && !rule.must_acknowledge);
}

fn pointers() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "(/[a-z~01 ,\"\\\\:ä]{0,6}){1,3}"]
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!({"a": [1, "b c"]})),
        ".{0,12}".prop_map(Value::from),
        "[ a-z0-9\"\\n\\\\]{0,8}".prop_map(Value::from),
    ]
}

fn conditions() -> impl Strategy<Value = NotificationCondition> {
    let operators = prop_oneof![
        (Just(ConditionOperator::Equals), values()),
        (Just(ConditionOperator::NotEquals), values()),
        (Just(ConditionOperator::GreaterThan), any::<i64>().prop_map(Value::from)),
        (Just(ConditionOperator::LessThan), any::<i64>().prop_map(Value::from)),
        (Just(ConditionOperator::Contains), "[ a-z0-9\"\\n\\\\]{0,8}".prop_map(Value::from)),
        (Just(ConditionOperator::Exists), Just(Value::Null)),
    ];
    (pointers(), operators).prop_map(|(pointer, (operator, value))| NotificationCondition {
        pointer,
        operator,
        value,
    })
}

fn audiences() -> impl Strategy<Value = Vec<NotificationAudience>> {
    let one = prop_oneof![
        Just(NotificationAudience::Event),
        Just(NotificationAudience::User { id: USER.parse().expect("an id") }),
        Just(NotificationAudience::Organization { id: ORGANIZATION.parse().expect("an id") }),
        "[a-z_]{1,8}".prop_map(|name| NotificationAudience::Role { name }),
        pointers().prop_map(|pointer| NotificationAudience::Payload { pointer }),
    ];
    prop::collection::vec(one, 1..4)
}

fn rules() -> impl Strategy<Value = NewNotificationRule> {
    let escalation = (1u32..=604_800, audiences())
        .prop_map(|(after_seconds, audience)| EscalationStep { after_seconds, audience });
    let priority = prop::sample::select(NotificationPriority::ALL.to_vec());
    (
        prop::collection::vec(conditions(), 0..4),
        audiences(),
        priority,
        any::<bool>(),
        prop::collection::vec(escalation, 0..3),
    )
        .prop_map(|(conditions, audience, priority, must_acknowledge, escalation)| NewNotificationRule {
            name: "Failed".to_owned(),
            types: vec!["settlement.failed".to_owned(), "payment.*".to_owned()],
            conditions,
            audience,
            template: NotificationTemplate {
                title: "{{/reference}} failed".to_owned(),
                body: "one\ntwo".to_owned(),
                link: "/settlements/{{id}}".to_owned(),
                group: String::new(),
            },
            priority,
            must_acknowledge,
            escalation,
        })
}

proptest! {
    /// The form shows every rule so that it is read back as it is.
    #[test]
    fn reads_back_what_it_wrote(rule in rules()) {
        prop_assert_eq!(NotificationNotation::from(&rule).parse(), Ok(rule));
    }
}
