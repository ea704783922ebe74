//! Money.

use leptos::prelude::*;
use tidewatch_events::money::{Currency, format_minor};

/// An amount with its currency: `12,480.50 EUR`.
#[component]
pub fn Amount(
    /// In minor units.
    minor: i64,
    /// ISO 4217.
    currency: Currency,
) -> impl IntoView {
    view! {
        <span class="amount">
            {format_minor(minor, currency)} " " <span class="amount-currency">{currency.to_string()}</span>
        </span>
    }
}
