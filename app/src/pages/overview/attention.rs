//! What needs a person.

use leptos::prelude::*;
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_modules::Tone;
use tidewatch_modules::module::label_of;

use crate::components::status_badge::icon_of;
use crate::components::{Amount, Icon, IconName, RelativeTime, StatusBadge};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::OverviewState;
use crate::model::{Overview, SettlementRow, Waiting};

/// What waits in each module, and failed, held and stuck settlements, oldest first.
#[component]
pub fn Attention(state: RwSignal<OverviewState>) -> impl IntoView {
    let project = use_project();
    let rows = Memo::new(move |_| state.with(|state| state.overview().needs_attention.clone()));
    let waiting = Memo::new(move |_| {
        let waiting = state.with(|state| state.overview().waiting.clone());
        waiting.into_iter().filter(|line| line.total.count > 0).collect::<Vec<_>>()
    });
    let is_empty = Memo::new(move |_| rows.read().is_empty());
    view! {
        <section class="card attention" aria-labelledby="attention" data-count=move || rows.read().len().to_string()>
            <h2 id="attention">"Needs a person"</h2>
            <ul class="waiting">
                <Settlements state status=SettlementStatus::Failed/>
                <Settlements state status=SettlementStatus::Held/>
                <For each=move || waiting.get() key=|line: &Waiting| (line.module.clone(), line.status.clone(), line.total.count) let:line>
                    <li data-waiting=format!("{}-{}", line.module, line.status) data-total=line.total.count.to_string()>
                        <a class="chip" data-tone=line.tone.as_str() href=project.href(&format!("/{}?status={}", line.module, line.status))>
                            <Icon name=icon_of(line.tone)/>
                            <strong class="tabular">{if line.total.estimated { "about " } else { "" }} {format::count(line.total.count)}</strong>
                            " " {line.label}
                        </a>
                    </li>
                </For>
            </ul>
            <Show when=move || is_empty.get() && waiting.read().is_empty()>
                <p class="all-well"><Icon name=IconName::CheckCircle/>"Nothing waits for you."</p>
            </Show>
            <ul class="attention-list">
                // A row that changes is another row: its key holds the version.
                <For each=move || rows.get() key=|row: &SettlementRow| (row.id, row.version) let:row>
                    <li data-id=row.id.to_string() data-status=row.status.as_str() data-version=row.version.to_string()>
                        <StatusBadge status=row.status.as_str()/>
                        <a class="row-link" href=project.href(&format!("/settlements/{}", row.id))>{row.reference.clone()}</a>
                        <Amount minor=row.amount_minor currency=row.currency/>
                        {row.status.is_open().then(|| view! {
                            <span class="tag" data-tone="warn" data-stuck="">"stands still"</span>
                        })}
                        {row.release_requested_by.is_some().then(|| view! {
                            <span class="tag" data-tone="warn" data-second-person="">"waits for a second person"</span>
                        })}
                        <RelativeTime at=row.updated_at in_row=true/>
                    </li>
                </For>
            </ul>
            <Show when=move || rows.read().len() == Overview::MAX_ATTENTION>
                <p class="card-foot">{format!("The {} settlements that wait longest.", Overview::MAX_ATTENTION)}</p>
            </Show>
        </section>
    }
}

/// How many settlements stand where a person is needed: the list below has the oldest of them alone.
#[component]
fn Settlements(state: RwSignal<OverviewState>, status: SettlementStatus) -> impl IntoView {
    let count = Memo::new(move |_| state.with(|state| state.count(status)));
    let (name, label) = (status.as_str(), label_of(status.as_str()));
    let tone = if status == SettlementStatus::Failed { Tone::Bad } else { Tone::Warn };
    let href = use_project().href(&format!("/settlements?status={name}"));
    view! {
        <Show when=move || { count.get() > 0 }>
            <li data-waiting=format!("settlements-{name}") data-total=move || count.get().to_string()>
                <a class="chip" data-tone=tone.as_str() href=href.clone()>
                    <Icon name=icon_of(tone)/>
                    <strong class="tabular">{move || format::count(count.get())}</strong>
                    {format!(" {label} settlements")}
                </a>
            </li>
        </Show>
    }
}
