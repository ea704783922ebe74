//! Channels: who listens, what goes out, and trying one.

mod detail;
mod list;
mod publish;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use tidewatch_events::Channel;

use self::detail::Detail;
use self::list::{ChannelList, OpenForm};
use crate::api::{ChangeProject, list_channels};
use crate::components::change_form::{ChangeAction, ChangeAnswer};
use crate::components::{ErrorState, Loading, ReadFreshness, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{Channels, Snapshot};

/// The project's channels, and the one that the address names.
#[component]
pub fn ChannelsPage() -> impl IntoView {
    let params = use_query_map();
    let selected = Memo::new(move |_| {
        let name = params.read().get("channel").map(|name| name.trim().to_owned());
        let parse = |name: String| {
            name.parse::<Channel>().map_err(|error| AppError::Invalid {
                field: "channel".to_owned(),
                message: format!("`{name}` {error}"),
            })
        };
        name.filter(|name| !name.is_empty()).map(parse).transpose()
    });
    let project = use_project();
    let action = use_form_action::<ChangeProject>();
    let channels = Resource::new(
        move || selected.get(),
        move |selected| async move {
            match selected {
                Ok(selected) => list_channels(project.slug(), selected).await,
                Err(error) => Err(error),
            }
        },
    );
    view! {
        <Title text="Channels"/>
        <div class="page">
            <h1>"Channels"</h1>
            <ChangeAnswer action/>
            <OpenForm/>
            <Transition fallback=|| view! { <Loading what="the channels"/> }>
                {move || Suspend::new(async move {
                    match channels.await {
                        Ok(snapshot) => Either::Left(view! { <ChannelsView snapshot action/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the channels"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn ChannelsView(snapshot: Snapshot<Channels>, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let selected = snapshot.data.selected.as_ref().map(|detail| detail.row.name.clone());
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let asked = selected.clone();
    let live = use_live(state, anchor, move || list_channels(project.slug(), asked.clone()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let selected = StoredValue::new(selected);
    view! {
        <WhileAllowed live what="the channels">
            <p class="page-meta"><ReadFreshness as_of/></p>
            <div class="channels" class:has-selection=selected.with_value(Option::is_some)>
                <ChannelList state selected=selected.get_value()/>
                {selected.get_value().map(|name| view! { <Detail state name action/> })}
            </div>
        </WhileAllowed>
    }
}
