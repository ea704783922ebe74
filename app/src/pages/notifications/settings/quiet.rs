//! When one wants to be left alone.

use leptos::prelude::*;

use crate::model::QuietHours;

/// The quiet hours, and the time zone that they are meant in.
#[component]
pub(super) fn Quiet(
    quiet: Option<QuietHours>,
    /// The zone that is kept.
    time_zone: String,
    /// Those to choose from.
    time_zones: Vec<String>,
) -> impl IntoView {
    let time = |minute: Option<u16>| minute.map(clock).unwrap_or_default();
    // Of the browser, once it is known: where nothing was said yet, it is meant.
    let here = RwSignal::new(None::<String>);
    Effect::new(move |_| here.set(zone_of_browser()));
    let mut names = time_zones;
    if !names.contains(&time_zone) {
        names.insert(0, time_zone.clone());
    }
    let (is_said, kept) = (quiet.is_some(), StoredValue::new(time_zone));
    let known = StoredValue::new(names.clone());
    let chosen = Memo::new(move |_| {
        let meant = here.get().filter(|here| !is_said && known.with_value(|known| known.contains(here)));
        meant.unwrap_or_else(|| kept.get_value())
    });
    let elsewhere = move || here.get().filter(|here| chosen.with(|chosen| chosen != here));
    let option = move |name: String| {
        let (value, text) = (name.clone(), zone(&name));
        view! { <option value=value selected=move || chosen.with(|chosen| *chosen == name)>{text}</option> }
    };
    view! {
        <section class="card" aria-labelledby="quiet">
            <h2 id="quiet">"Quiet hours"</h2>
            <p class="card-foot">
                "In this time nothing is pushed or mailed, unless it must be acknowledged. It may go over midnight. Leave both empty, \
                 and there is none."
            </p>
            <div class="form-inline">
                <label class="field">
                    <span>"From"</span>
                    <input type="time" name="settings[quietFrom]" value=time(quiet.map(|quiet| quiet.from))/>
                </label>
                <label class="field">
                    <span>"Until"</span>
                    <input type="time" name="settings[quietUntil]" value=time(quiet.map(|quiet| quiet.until))/>
                </label>
                <label class="field">
                    <span>"Time zone"</span>
                    <select name="settings[timeZone]">{names.into_iter().map(option).collect_view()}</select>
                </label>
            </div>
            {move || elsewhere().map(|here| view! {
                <p class="card-foot">{format!("Your browser is in {} now.", zone(&here))}</p>
            })}
        </section>
    }
}

/// The zone of the browser's clock, by its name.
fn zone_of_browser() -> Option<String> {
    let options = js_sys::Intl::DateTimeFormat::default().resolved_options();
    js_sys::Reflect::get(&options, &"timeZone".into()).ok()?.as_string()
}

/// `07:05`.
fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// A zone's name as people read it: `America/New York`.
fn zone(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_times_and_zones() {
        assert_eq!((clock(0), clock(425), clock(1_439)), ("00:00".into(), "07:05".into(), "23:59".into()));
        assert_eq!(zone("America/New_York"), "America/New York");
    }
}
