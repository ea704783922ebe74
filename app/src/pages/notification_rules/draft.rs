//! What somebody writes in a rule's form, beside what becomes of the rule meanwhile.

use leptos::prelude::*;

use crate::components::change_form::ChangeAction;
use crate::components::{Icon, IconName};
use crate::contexts::form_answer::on_answer;
use crate::contexts::project::use_project;
use crate::model::{NotificationRule, ProjectChange};

/// Of which version of a rule a form is the next one. What is written is kept whatever becomes of the rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// The rule that the form is meant to replace.
    base: NotificationRule,
    /// The version that the form itself has made, until the rule was read at it.
    made: Option<u64>,
}

impl Draft {
    /// A form that is filled with this.
    pub(super) const fn new(base: NotificationRule) -> Self {
        Self { base, made: None }
    }

    /// The version that the form replaces, where the rule is now this. To enable or disable it changes nothing of what it
    /// says.
    fn version(&self, now: &NotificationRule) -> u64 {
        match self.made {
            Some(made) => made,
            None if now.rule == self.base.rule => now.version.max(self.base.version),
            None => self.base.version,
        }
    }

    /// Whether somebody else has changed what the rule says.
    fn is_behind(&self, now: &NotificationRule) -> bool {
        self.version(now) < now.version
    }

    /// What the form sent for this version was saved, as the next one.
    const fn save(&mut self, sent_for: u64) {
        self.made = Some(sent_for + 1);
    }

    /// The rule was read. What was saved is known by its version: nobody else makes the same.
    fn take(&mut self, now: &NotificationRule) {
        let Some(made) = self.made.filter(|made| *made <= now.version) else { return };
        self.made = None;
        if made == now.version {
            self.base = now.clone();
        } else {
            self.base.version = made;
        }
    }
}

/// The version that the form says, and whether somebody else has changed the rule since.
pub(super) fn follow(
    rule: Memo<NotificationRule>,
    draft: RwSignal<Draft>,
    action: ChangeAction,
) -> (Memo<u64>, Memo<bool>) {
    let sent_for = StoredValue::new(None::<u64>);
    Effect::new(move |_| {
        if let Some(sent) = action.input().get() {
            sent_for.set_value(match sent.change {
                ProjectChange::SaveNotificationRule { expected_version, .. } => expected_version,
                _ => None,
            });
        }
    });
    on_answer(action, move |answer| {
        if let Some(sent_for) = sent_for.get_value().filter(|_| answer.is_ok()) {
            draft.update(|draft| draft.save(sent_for));
        }
    });
    Effect::new(move |_| {
        let now = rule.get();
        draft.update(|draft| draft.take(&now));
    });
    (
        Memo::new(move |_| draft.with(|draft| rule.with(|now| draft.version(now)))),
        Memo::new(move |_| draft.with(|draft| rule.with(|now| draft.is_behind(now)))),
    )
}

/// Says that somebody else has changed the rule, as long as nobody has said that the form is to replace that, too.
#[component]
pub(super) fn ChangedMeanwhile(
    /// As it was read last.
    rule: Memo<NotificationRule>,
    /// What is written.
    draft: RwSignal<Draft>,
    /// Whether that is so.
    is_behind: Memo<bool>,
) -> impl IntoView {
    let href = use_project().href(&format!("/notification-rules/{}", rule.read_untracked().id));
    let keep = move |_| draft.set(Draft::new(rule.get_untracked()));
    view! {
        <Show when=move || is_behind.get()>
            <div class="alert" data-tone="warn" role="alert" data-changed-meanwhile="">
                <Icon name=IconName::Alert/>
                <div>
                    <p>
                        <strong>{move || rule.read().updated_by.clone()}" has changed this rule meanwhile. "</strong>
                        "What stands in the form is not saved in the place of that unless you say so."
                    </p>
                    <div class="button-row">
                        <a class="button button-small" href=href.clone() target="_blank" rel="external noopener">"Show what it says now"</a>
                        <button type="button" class="button button-small" on:click=keep>"Put mine in its place"</button>
                    </div>
                </div>
            </div>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewNotificationRule, NotificationPriority, NotificationTemplate};

    fn rule(version: u64, name: &str) -> NotificationRule {
        let at = "2026-11-20T20:00:00Z".parse().expect("a time");
        let rule = NewNotificationRule {
            name: name.to_owned(),
            types: Vec::new(),
            conditions: Vec::new(),
            audience: Vec::new(),
            template: NotificationTemplate::default(),
            priority: NotificationPriority::default(),
            must_acknowledge: false,
            escalation: Vec::new(),
        };
        NotificationRule {
            id: "ntr_01h455vb4pex5vsknk084sn02q".parse().expect("an id"),
            version,
            rule,
            tells: Vec::new(),
            enabled: version % 2 == 1,
            sent: 0,
            created_by: "ann".to_owned(),
            created_at: at,
            updated_by: "bob".to_owned(),
            updated_at: at,
        }
    }

    fn of(draft: &Draft, now: &NotificationRule) -> (u64, bool) {
        (draft.version(now), draft.is_behind(now))
    }

    #[test]
    fn to_enable_a_rule_disturbs_nobody_who_writes() {
        let draft = Draft::new(rule(1, "a"));
        assert_eq!(of(&draft, &rule(1, "a")), (1, false));
        assert_eq!(of(&draft, &rule(2, "a")), (2, false));
        // What was read late is no step back.
        assert_eq!(of(&Draft::new(rule(2, "a")), &rule(1, "a")), (2, false));
    }

    #[test]
    fn what_somebody_else_says_anew_is_not_replaced_before_somebody_says_so() {
        let draft = Draft::new(rule(1, "a"));
        assert_eq!(of(&draft, &rule(3, "theirs")), (1, true));
        assert_eq!(of(&Draft::new(rule(3, "theirs")), &rule(3, "theirs")), (3, false));
    }

    #[test]
    fn what_the_form_has_saved_is_its_own() {
        let mut draft = Draft::new(rule(1, "a"));
        draft.save(1);
        // Not read yet; and again before it is.
        assert_eq!(of(&draft, &rule(1, "a")), (2, false));
        draft.take(&rule(1, "a"));
        assert_eq!(of(&draft, &rule(1, "a")), (2, false));
        draft.take(&rule(2, "mine"));
        assert_eq!(of(&draft, &rule(2, "mine")), (2, false));
        assert_eq!(of(&draft, &rule(3, "mine")), (3, false), "it was only enabled");
        assert_eq!(of(&draft, &rule(4, "theirs")), (2, true));
    }

    #[test]
    fn who_was_faster_than_the_next_look_is_seen_as_well() {
        let mut draft = Draft::new(rule(1, "a"));
        draft.save(1);
        draft.take(&rule(3, "theirs"));
        assert_eq!(of(&draft, &rule(3, "theirs")), (2, true));
    }
}
