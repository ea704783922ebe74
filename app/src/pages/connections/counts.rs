//! How many there are.

use leptos::prelude::*;

use super::row::kind_of;
use crate::format;
use crate::live::reduce::PolledList;
use crate::model::ConnectionPage;

/// All connections of the project, by how they are connected and by instance.
#[component]
pub(super) fn Counts(list: RwSignal<PolledList<ConnectionPage>>) -> impl IntoView {
    let counts = Memo::new(move |_| list.with(|list| list.page().counts.clone()));
    let sum = move |kind: Option<&'static str>| {
        counts.with(|counts| {
            let of_kind = counts.iter().filter(|count| kind.is_none_or(|kind| count.kind == kind));
            format::count(of_kind.map(|count| count.connections).sum())
        })
    };
    let instances = Memo::new(move |_| {
        counts.with(|counts| {
            let mut instances: Vec<(String, u64)> = Vec::new();
            for count in counts {
                match instances.last_mut().filter(|(name, _)| *name == count.instance) {
                    Some((_, sum)) => *sum += count.connections,
                    None => instances.push((count.instance.clone(), count.connections)),
                }
            }
            instances
        })
    });
    view! {
        <dl class="numbers">
            <div class="number"><dt>"Connected"</dt><dd>{move || sum(None)}</dd></div>
            {["sse", "socketio", "poll"]
                .map(|kind| view! { <div class="number"><dt>{kind_of(kind).1}</dt><dd>{move || sum(Some(kind))}</dd></div> })
                .into_iter()
                .collect_view()}
            <Show when=move || instances.with(|instances| instances.len() > 1)>
                <div class="number number-wide">
                    <dt>"By instance"</dt>
                    <dd class="volume">
                        {move || instances
                            .get()
                            .into_iter()
                            .map(|(name, count)| view! { <span>{format::count(count)} " " <small>{name}</small></span> })
                            .collect_view()}
                    </dd>
                </div>
            </Show>
        </dl>
    }
}
