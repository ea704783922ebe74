//! The description of a module.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tidewatch_events::id::RecordId;
use tidewatch_events::{AggregateType, Envelope, Permission, PermissionSet};

/// A text that is known when the program is written, or came over the wire.
pub type Text = Cow<'static, str>;

/// A kind of record, as API and pages need to know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Module {
    /// Its name in addresses and its table: the plural, `settlements`.
    pub name: Text,
    /// One of them: `settlement`. Also what its event types begin with.
    pub one: Text,
    /// What people call them: `Settlements`.
    pub title: Text,
    /// What its events happen to.
    pub aggregate_type: AggregateType,
    /// What the ids begin with, without the underscore.
    pub prefix: Text,
    /// What a reader needs.
    pub read: Permission,
    /// What an actor needs.
    pub act: Permission,
    /// The name of its icon.
    pub icon: Text,
    /// The field that a record is called by.
    pub title_field: Text,
    /// The field with the amount that records can be ordered by.
    pub amount_field: Option<Text>,
    /// Every status, in the order of a record's life.
    pub statuses: Vec<Status>,
    /// What is known of a record beside its head, in the order of display.
    pub fields: Vec<Field>,
    /// Every allowed move. What is not here is not possible.
    pub moves: Vec<MoveRule>,
    /// What is entered for a new one; `None`: people make none by hand.
    pub new: Option<Vec<Input>>,
    /// What its list draws above the table, in this order.
    #[serde(default)]
    pub charts: Vec<Chart>,
}

/// A live chart above a module's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Chart {
    /// How many records stand where. The database counts them as they change: the module's migration says
    /// `select count_records('…')`.
    ByStatus,
    /// Events of its records in the last hour, by the minute. They are told from others by the permission that
    /// they take, so [`Module::read`] has to be this module's alone.
    OverTime,
}

/// Where a record can stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its name on the wire: `network_selected`.
    pub name: Text,
    /// What people read: `Network selected`.
    pub label: Text,
    /// The part that its colour plays.
    pub tone: Tone,
    /// Whether nothing more is expected: the record counts as done.
    pub ended: bool,
    /// Whether who stands here waits for a person: the overview counts them, as its migration says (`count_records`).
    pub waits: bool,
}

/// The part that a colour plays. Never the only sign: an icon and a word stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Nothing has happened yet.
    Neutral,
    /// It is on its way.
    Active,
    /// It went well.
    Good,
    /// A person should look.
    Warn,
    /// It went wrong.
    Bad,
}

impl Tone {
    /// Its name in styles.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Active => "active",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// Something that is known of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Its name on the wire, camelCase; its column is the same in snake_case.
    pub name: Text,
    /// What people call it.
    pub label: Text,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether lists have a column of it.
    pub in_list: bool,
    /// Whether searches look into it.
    pub searched: bool,
    /// Whether it tells what is wrong: shown on top of the record where it holds something.
    pub trouble: bool,
    /// The values that lists can be narrowed by; empty: none.
    pub choices: Vec<Text>,
}

/// What a field holds, and so how it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// One of a few words, shown with a colour where it has one.
    Tag {
        /// Words that are coloured, by part.
        tones: Vec<(Text, Tone)>,
    },
    /// Text of several lines.
    Paragraph,
    /// Minor units of the currency in `currency`.
    Money,
    /// A whole number.
    Number,
    /// Milliseconds.
    Duration,
    /// A point in time.
    Time,
    /// Something to be copied: a hash, an address.
    Code,
    /// The id of another record.
    Link,
    /// The id of a person.
    Person,
    /// The id of an organization.
    Organization,
    /// A number out of the number in another field.
    Progress {
        /// The field with the whole.
        of: Text,
        /// What is counted.
        unit: Text,
    },
}

/// A row of the table of moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveRule {
    /// Its name on the wire.
    pub name: Text,
    /// What its button says; `None`: not for people, no button.
    pub label: Option<Text>,
    /// Where it may begin.
    pub from: Vec<Text>,
    /// Where it may lead. One: there, unless the outcome says otherwise. None: the status stays.
    pub to: Vec<Text>,
    /// What is entered for it.
    pub inputs: Vec<Input>,
    /// Whether its button warns.
    pub destructive: bool,
    /// Whether nothing takes it back: pages ask before they make it, and name the amount.
    pub irreversible: bool,
    /// Whether it can be made for many at once.
    pub bulk: bool,
    /// The move that takes it back, where there is one.
    pub undone_by: Option<Text>,
    /// What an actor needs beside [`Module::act`].
    pub requires: Option<Permission>,
}

/// Something that a person enters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// Its field on the wire.
    pub name: Text,
    /// Its label.
    pub label: Text,
    /// What it takes.
    pub kind: InputKind,
    /// Whether it must be given.
    pub required: bool,
    /// A hint below it.
    pub hint: Option<Text>,
}

/// What an input takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InputKind {
    /// A line of text.
    Text,
    /// Text of several lines.
    Paragraph,
    /// A whole number.
    Number,
    /// An amount of money in minor units, of the currency in the input `currency` that is entered beside it, or else
    /// of the record's `currency`. People write it in the major unit: `12,480.50`.
    Money,
    /// One of these.
    Choice(Vec<Text>),
    /// An organization of the project.
    Organization,
}

impl Module {
    /// A module by one of its records: `payment` is in the table and under the address `payments`.
    #[must_use]
    pub fn new(
        one: &'static str,
        aggregate_type: AggregateType,
        prefix: &'static str,
        read: Permission,
        act: Permission,
    ) -> Self {
        let name = format!("{one}s");
        let mut title = name.clone();
        title[..1].make_ascii_uppercase();
        Self {
            name: name.into(),
            one: one.into(),
            title: title.into(),
            aggregate_type,
            prefix: prefix.into(),
            read,
            act,
            icon: "dot".into(),
            title_field: "id".into(),
            amount_field: None,
            statuses: Vec::new(),
            fields: Vec::new(),
            moves: Vec::new(),
            new: None,
            charts: Vec::new(),
        }
    }

    /// A module with permissions of its own: of a `parcel`, `parcels.read` and `parcels.act`. Whoever may do everything
    /// (the role `admin`, the scope `*`) holds them from the start; everybody else is given them by a role of the
    /// project's own or a scope that names them.
    ///
    /// ```
    /// use tidewatch_modules::Module;
    ///
    /// let module = Module::own("parcel", "Parcel", "par");
    /// assert_eq!(module.read.as_str(), "parcels.read");
    /// assert_eq!(module.act.as_str(), "parcels.act");
    /// ```
    ///
    /// # Panics
    /// `one` cannot be part of a permission's name: it has letters a-z, digits and `_`, and begins with a letter.
    #[must_use]
    pub fn own(one: &'static str, aggregate_type: &'static str, prefix: &'static str) -> Self {
        let permission = |verb: &str| {
            format!("{one}s.{verb}").parse().unwrap_or_else(|error| panic!("the module `{one}`: {error}"))
        };
        let aggregate_type = AggregateType::from_static(aggregate_type);
        Self::new(one, aggregate_type, prefix, permission("read"), permission("act"))
    }

    /// With this icon.
    #[must_use]
    pub fn with_icon(mut self, icon: &'static str) -> Self {
        self.icon = icon.into();
        self
    }

    /// With these statuses, in the order of a record's life. A new record has the first.
    #[must_use]
    pub fn with_statuses(mut self, statuses: impl IntoIterator<Item = Status>) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }

    /// With these fields. A record is called by the first; the first amount orders lists.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields = fields.into_iter().collect();
        if let Some(first) = self.fields.first() {
            self.title_field = first.name.clone();
        }
        self.amount_field =
            self.fields.iter().find(|field| field.kind == FieldKind::Money).map(|field| field.name.clone());
        self
    }

    /// With these moves.
    #[must_use]
    pub fn with_moves(mut self, moves: impl IntoIterator<Item = MoveRule>) -> Self {
        self.moves = moves.into_iter().collect();
        self
    }

    /// People can make new ones, and enter this for them.
    #[must_use]
    pub fn created_with(mut self, inputs: impl IntoIterator<Item = Input>) -> Self {
        self.new = Some(inputs.into_iter().collect());
        self
    }

    /// With these live charts above its list.
    #[must_use]
    pub fn with_charts(mut self, charts: impl IntoIterator<Item = Chart>) -> Self {
        self.charts = charts.into_iter().collect();
        self
    }

    /// Every permission that it takes: to read, to act, and for moves that take another one.
    pub fn permissions(&self) -> impl Iterator<Item = &Permission> {
        [&self.read, &self.act].into_iter().chain(self.moves.iter().filter_map(|rule| rule.requires.as_ref()))
    }

    /// The field of its events in which the id stands: `settlementId`.
    #[must_use]
    pub fn id_field(&self) -> String {
        format!("{}Id", self.one)
    }

    /// The status of this name.
    #[must_use]
    pub fn status(&self, name: &str) -> Option<&Status> {
        self.statuses.iter().find(|status| status.name == name)
    }

    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The move of this name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&MoveRule> {
        self.moves.iter().find(|rule| rule.name == name)
    }

    /// The moves that can be made from `status`.
    pub fn moves_from(&self, status: &str) -> impl Iterator<Item = &MoveRule> {
        self.moves.iter().filter(move |rule| rule.from.iter().any(|from| from == status))
    }

    /// The moves that whoever holds these permissions may make from `status`.
    pub fn moves_for<'m>(
        &'m self,
        status: &'m str,
        held: &'m PermissionSet,
    ) -> impl Iterator<Item = &'m MoveRule> {
        let may_act = held.contains(&self.act);
        self.moves_from(status).filter(move |rule| may_act && rule.is_for(held))
    }

    /// The description for whoever holds these permissions: without the moves that take another one beside
    /// [`Module::act`]. What a page offers is what is left.
    #[must_use]
    pub fn for_holder(&self, held: &PermissionSet) -> Self {
        let mut module = self.clone();
        module.moves.retain(|rule| rule.is_for(held));
        module
    }

    /// The address of the page about what an event happened to; `None` where that is no record: services
    /// publish events of whatever they keep, and people and comments have no pages of their own.
    #[must_use]
    pub fn page_of(event: &Envelope) -> Option<String> {
        let kind = &event.aggregate_type;
        let without = [AggregateType::USER, AggregateType::COMMENT, AggregateType::MESSAGE];
        let has_page = !without.contains(kind) && event.aggregate_id.parse::<RecordId>().is_ok();
        has_page.then(|| format!("{}/{}", Self::path_of(kind), event.aggregate_id))
    }

    /// The address of the page with these records, by what an event happened to: `/settlements`.
    #[must_use]
    pub fn path_of(aggregate_type: &AggregateType) -> String {
        format!("/{}s", aggregate_type.as_str().to_ascii_lowercase())
    }
}

/// A status; its label is its name in words.
#[must_use]
pub fn status(name: &'static str, tone: Tone) -> Status {
    Status { name: name.into(), label: label_of(name).into(), tone, ended: false, waits: false }
}

impl Status {
    /// Nothing more is expected of who stands here.
    #[must_use]
    pub const fn ended(mut self) -> Self {
        self.ended = true;
        self
    }

    /// Who stands here waits for a person.
    #[must_use]
    pub const fn waits(mut self) -> Self {
        self.waits = true;
        self
    }
}

/// A name in words: `network_selected` is `Network selected`.
#[must_use]
pub fn label_of(name: &str) -> String {
    let mut label = name.replace('_', " ");
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    label
}

/// A field of this kind.
#[must_use]
pub fn field(name: &'static str, label: &'static str, kind: FieldKind) -> Field {
    Field {
        name: name.into(),
        label: label.into(),
        kind,
        in_list: false,
        searched: false,
        trouble: false,
        choices: Vec::new(),
    }
}

impl Field {
    /// Lists have a column of it.
    #[must_use]
    pub const fn listed(mut self) -> Self {
        self.in_list = true;
        self
    }

    /// Searches look into it.
    #[must_use]
    pub const fn searched(mut self) -> Self {
        self.searched = true;
        self
    }

    /// It tells what is wrong.
    #[must_use]
    pub const fn trouble(mut self) -> Self {
        self.trouble = true;
        self
    }

    /// Lists can be narrowed to one of these values.
    #[must_use]
    pub fn narrowed_by(mut self, choices: &[&'static str]) -> Self {
        self.choices = choices.iter().map(|choice| Cow::Borrowed(*choice)).collect();
        self
    }
}

/// A move from any of these statuses to any of those.
#[must_use]
pub fn rule(name: &'static str, from: &[&'static str], to: &[&'static str]) -> MoveRule {
    let texts = |names: &[&'static str]| names.iter().map(|name| Cow::Borrowed(*name)).collect();
    MoveRule {
        name: name.into(),
        label: None,
        from: texts(from),
        to: texts(to),
        inputs: Vec::new(),
        destructive: false,
        irreversible: false,
        bulk: false,
        undone_by: None,
        requires: None,
    }
}

impl MoveRule {
    /// People make it, with a button that says this.
    #[must_use]
    pub fn labelled(mut self, label: &'static str) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With this to be entered.
    #[must_use]
    pub fn with_inputs(mut self, inputs: impl IntoIterator<Item = Input>) -> Self {
        self.inputs = inputs.into_iter().collect();
        self
    }

    /// Its button warns.
    #[must_use]
    pub const fn destructive(mut self) -> Self {
        self.destructive = true;
        self
    }

    /// Nothing takes it back: it posts money for good, or ends what cannot begin again.
    #[must_use]
    pub const fn irreversible(mut self) -> Self {
        self.irreversible = true;
        self
    }

    /// It can be made for many at once.
    #[must_use]
    pub const fn in_bulk(mut self) -> Self {
        self.bulk = true;
        self
    }

    /// The move of this name takes it back.
    #[must_use]
    pub fn undone_by(mut self, name: &'static str) -> Self {
        self.undone_by = Some(name.into());
        self
    }

    /// It takes this permission beside the module's.
    #[must_use]
    pub fn requires(mut self, permission: Permission) -> Self {
        self.requires = Some(permission);
        self
    }

    /// Whether a person is asked once more before it is made.
    #[must_use]
    pub const fn asks_first(&self) -> bool {
        self.destructive || self.irreversible
    }

    /// Whether these permissions have what it takes beside [`Module::act`].
    #[must_use]
    pub fn is_for(&self, held: &PermissionSet) -> bool {
        self.requires.as_ref().is_none_or(|permission| held.contains(permission))
    }
}

/// Something that must be entered.
#[must_use]
pub fn input(name: &'static str, label: &'static str, kind: InputKind) -> Input {
    Input { name: name.into(), label: label.into(), kind, required: true, hint: None }
}

/// One of these must be chosen.
#[must_use]
pub fn choice(name: &'static str, label: &'static str, choices: &[&'static str]) -> Input {
    input(name, label, InputKind::Choice(choices.iter().map(|choice| Cow::Borrowed(*choice)).collect()))
}

impl Input {
    /// It may stay empty.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// With this hint below it.
    #[must_use]
    pub fn hinted(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
