//! The newest report.

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::money::Currency;

use crate::components::{Amount, RelativeTime};
use crate::contexts::project::use_project;
use crate::format;
use crate::model::{Drift, WitnessModule, WitnessMoney, WitnessReport};

/// What was found, module by module, with the differences first.
#[component]
pub(super) fn Report(report: WitnessReport) -> impl IntoView {
    let unnamed = report.drift_count.saturating_sub(report.drifts().count() as u64);
    let drifts: Vec<Drift> = report.drifts().cloned().collect();
    let as_of = report.as_of;
    let (position, took) =
        (report.position.to_string(), i64::try_from(report.duration_ms).unwrap_or(i64::MAX));
    view! {
        {(!drifts.is_empty()).then(|| view! { <Drifts drifts unnamed/> })}
        <section class="with-table" aria-labelledby="modules">
            <h2 id="modules">"By module"</h2>
            <p class="page-meta">"As of " <RelativeTime at=as_of/> {format!(", at position {position}, in {}", format::span(took))}</p>
            <div class="table-wrap">
                <table class="table witness" data-drifts=report.drift_count.to_string()>
                    <thead>
                        <tr>
                            <th scope="col">"Module"</th>
                            <th scope="col" class="numeric">"Records"</th>
                            <th scope="col" class="numeric">"Events"</th>
                            <th scope="col" class="numeric">"Beyond retention"</th>
                            <th scope="col" class="numeric">"Differences"</th>
                            <th scope="col" class="numeric">"Money"</th>
                        </tr>
                    </thead>
                    <tbody>{report.modules.into_iter().map(|module| view! { <Module module/> }).collect_view()}</tbody>
                </table>
            </div>
        </section>
        <Money money=report.money/>
    }
}

#[component]
fn Module(module: WitnessModule) -> impl IntoView {
    let totals = module.totals.into_iter().map(|total| {
        let differs = total.table_minor != total.events_minor;
        view! {
            <div>
                <Amount minor=total.table_minor currency=total.currency/>
                {differs.then(|| view! { <small>" events: " <Amount minor=total.events_minor currency=total.currency/></small> })}
            </div>
        }
    });
    view! {
        <tr data-module=module.module data-drifts=module.drift_count.to_string()>
            <th scope="row">{module.title}</th>
            <td class="numeric tabular">{format::count(module.records)}</td>
            <td class="numeric tabular">{format::count(module.events)}</td>
            <td class="numeric tabular">{format::count(module.beyond_retention)}</td>
            <td class="numeric tabular">{format::count(module.drift_count)}</td>
            <td class="numeric tabular">{totals.collect_view()}</td>
        </tr>
    }
}

#[component]
fn Drifts(drifts: Vec<Drift>, unnamed: u64) -> impl IntoView {
    let count = drifts.len().to_string();
    view! {
        <section class="card" aria-labelledby="differences">
            <h2 id="differences">"Differences"</h2>
            <ul class="list" data-count=count>
                {drifts.into_iter().map(|drift| view! { <Difference drift/> }).collect_view()}
            </ul>
            {(unnamed > 0).then(|| view! { <p class="hint">{format!("and {} more", format::count(unnamed))}</p> })}
        </section>
    }
}

#[component]
fn Difference(drift: Drift) -> impl IntoView {
    let project = use_project();
    // Movements of money and currencies have no page, nor have comments.
    let has_page = drift.id.contains('_') && drift.module != "comments";
    let id = if has_page {
        let href = project.href(&format!("/records/{}", drift.id));
        // The server knows where it leads.
        Either::Left(view! { <a rel="external" href=href><code>{drift.id.clone()}</code></a> })
    } else {
        Either::Right(view! { <code>{drift.id.clone()}</code> })
    };
    view! {
        <li class="list-item" data-about=drift.id>
            <div class="list-main">
                <p class="list-title">{id}</p>
                <p class="list-detail">{drift.what}</p>
            </div>
            <p class="list-side list-detail">{drift.module}</p>
        </li>
    }
}

/// What stands on all accounts: nothing in all, in each currency.
#[component]
fn Money(money: Vec<WitnessMoney>) -> impl IntoView {
    if money.is_empty() {
        return Either::Left(());
    }
    let amount = |minor: i64, currency: &str| match currency.parse::<Currency>() {
        Ok(currency) => Either::Left(view! { <Amount minor currency/> }),
        Err(_) => Either::Right(minor.to_string()),
    };
    Either::Right(view! {
        <section class="with-table" aria-labelledby="money">
            <h2 id="money">"Money"</h2>
            <div class="table-wrap">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Currency"</th>
                            <th scope="col" class="numeric">"Accounts"</th>
                            <th scope="col" class="numeric">"Debits"</th>
                            <th scope="col" class="numeric">"All accounts together"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {money
                            .into_iter()
                            .map(|money| view! {
                                <tr data-currency=money.currency.clone() data-sum=money.sum_minor.to_string()>
                                    <th scope="row">{money.currency.clone()}</th>
                                    <td class="numeric tabular">{format::count(money.accounts)}</td>
                                    <td class="numeric tabular">{amount(money.debit_minor, &money.currency)}</td>
                                    <td class="numeric tabular">{amount(money.sum_minor, &money.currency)}</td>
                                </tr>
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </div>
        </section>
    })
}
