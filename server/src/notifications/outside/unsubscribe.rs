//! The link at the foot of each e-mail by which its reader wants no more of it, without a login.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;
use uuid::Uuid;

use crate::access::secret::Digester;

/// Bytes of an id.
const ID: usize = 16;
/// Bytes of a digest.
const DIGEST: usize = 32;

/// Makes these links' tokens and reads them: who holds one can turn a person's e-mail off and do nothing else. They
/// have no end, since e-mail is read when it is read.
#[derive(Debug, Clone)]
pub struct UnsubscribeTokens(Digester);

impl UnsubscribeTokens {
    /// Tokens under a key that is drawn from the server's secret.
    #[must_use]
    pub const fn new(digester: Digester) -> Self {
        Self(digester)
    }

    /// The token of a person in a project.
    #[must_use]
    pub fn sign(&self, project: ProjectId, user: UserId) -> String {
        let ids = [*project.uuid().as_bytes(), *user.uuid().as_bytes()].concat();
        URL_SAFE_NO_PAD.encode([ids.as_slice(), &self.digest(&ids)].concat())
    }

    /// Whose token it is; `None`: nobody's.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<(ProjectId, UserId)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == 2 * ID + DIGEST)?;
        let (ids, digest) = bytes.split_at(2 * ID);
        if !bool::from(self.digest(ids).ct_eq(digest)) {
            return None;
        }
        let (project, user) = ids.split_at(ID);
        Some((
            ProjectId::from_uuid(Uuid::from_slice(project).ok()?),
            UserId::from_uuid(Uuid::from_slice(user).ok()?),
        ))
    }

    fn digest(&self, ids: &[u8]) -> [u8; DIGEST] {
        self.0.digest("unsubscribe", ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(secret: &str) -> UnsubscribeTokens {
        UnsubscribeTokens::new(Digester::new(secret.as_bytes().to_vec()))
    }

    #[test]
    fn a_token_is_of_one_person_in_one_project() {
        let (project, user) =
            (ProjectId::from_uuid(Uuid::from_u128(1)), UserId::from_uuid(Uuid::from_u128(2)));
        let token = tokens("one").sign(project, user);
        assert_eq!(tokens("one").read(&token), Some((project, user)));
        assert_eq!(tokens("two").read(&token), None, "another server's");
        let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base 64");
        for place in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[place] ^= 1;
            assert_eq!(tokens("one").read(&URL_SAFE_NO_PAD.encode(forged)), None, "{place}");
        }
        for text in ["", "x", &token[1..], &format!("{token}AA")] {
            assert_eq!(tokens("one").read(text), None, "{text}");
        }
    }
}
