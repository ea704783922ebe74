//! The people of the project: a few who come and, once they are there, now and then become something else. Nobody
//! else is touched, and no more than these ever come.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tidewatch_client::Error;

use super::api::{Api, Person};
use super::dice::percent;
use crate::access::secret::new_password;

/// Who comes: names, and the addresses that nobody has.
const CAST: &[(&str, &str)] = &[
    ("Ada Ferry", "ada@sim.tidewatch.local"),
    ("Ben Mole", "ben@sim.tidewatch.local"),
    ("Cleo Quay", "cleo@sim.tidewatch.local"),
    ("Dan Buoy", "dan@sim.tidewatch.local"),
];
/// What they can be: nothing that lets them change anything of the staff's.
const ROLES: &[&[&str]] = &[&["viewer"], &["tenant"], &["landlord"], &["contractor"], &["viewer", "tenant"]];

/// What the simulator knows of the people that it drives.
pub(super) struct People {
    dice: StdRng,
    /// By address; `None`: to be looked up.
    known: Option<Known>,
    /// The links of those who were invited here: the server tells each once.
    links: BTreeMap<String, String>,
    /// The key may not do this: not asked for again.
    is_refused: bool,
}

#[derive(Default)]
struct Known {
    members: BTreeMap<String, String>,
    invited: BTreeMap<String, String>,
}

impl People {
    pub(super) const fn new(dice: StdRng) -> Self {
        Self { dice, known: None, links: BTreeMap::new(), is_refused: false }
    }

    /// The next thing that happens to one of them; whether something did.
    pub(super) async fn step(&mut self, api: &Api) -> Result<bool, Error> {
        if self.is_refused {
            return Ok(false);
        }
        match self.try_step(api).await {
            // Somebody else was here first, or it came to another end: look again.
            Err(error) if matches!(error.status(), Some(404 | 409)) => {
                self.known = None;
                Ok(false)
            }
            // A key for records alone is none for people.
            Err(error) if error.status() == Some(403) => {
                tracing::info!("the API key may not manage people: they stay as they are");
                self.is_refused = true;
                Ok(false)
            }
            Err(error) => Err(error),
            Ok(done) => Ok(done),
        }
    }

    async fn try_step(&mut self, api: &Api) -> Result<bool, Error> {
        let known = match self.known.take() {
            Some(known) => known,
            None => look(api).await?,
        };
        let (name, email) = *CAST.choose(&mut self.dice).unwrap_or(&CAST[0]);
        let roles = *ROLES.choose(&mut self.dice).unwrap_or(&ROLES[0]);
        if let Some(id) = known.members.get(email) {
            api.set_roles(id, roles).await?;
            self.known = Some(known);
            return Ok(true);
        }
        // What follows changes who is there.
        match (known.invited.get(email), self.links.remove(email)) {
            (Some(id), None) => api.cancel_invitation(id).await?,
            (Some(id), Some(_)) if percent(&mut self.dice, 20) => api.cancel_invitation(id).await?,
            (Some(_), Some(link)) => return Ok(api.join(&link, name, &new_password()).await),
            (None, _) => {
                if let Some(link) = api.invite(email, roles).await? {
                    self.links.insert(email.to_owned(), link);
                }
            }
        }
        Ok(true)
    }
}

async fn look(api: &Api) -> Result<Known, Error> {
    let by_email = |people: Vec<Person>| people.into_iter().map(|person| (person.email, person.id)).collect();
    let members = by_email(api.people().await?);
    Ok(Known { members, invited: by_email(api.invitations().await?) })
}
