//! What forms and API calls can change in a project: one entrance for both.

use tidewatch_app::format;
use tidewatch_app::model::{Changed, ManyJobs, ManyJobsMoved, NewWebhook, ProjectChange};

use super::notifications::rules;
use super::{Origin, channels, connections, jobs, keys, people, project, roles, sessions, webhooks, witness};
use crate::access::Caller;
use crate::error::Error;
use crate::state::AppState;

/// Carries a change out.
///
/// # Errors
/// 403 without the permission that the change needs, or when it would give away what the caller does
/// not have; 404, 409 and 422 as the change's own description says.
pub async fn change_project(
    state: &AppState,
    caller: &Caller,
    change: ProjectChange,
    origin: &Origin,
) -> Result<Changed, Error> {
    match change {
        ProjectChange::InvitePerson { email, roles, organizations } => {
            people::invite(state, caller, origin, email.trim(), roles, organizations).await
        }
        ProjectChange::CancelInvitation { id } => people::cancel_invitation(state, caller, origin, id).await,
        ProjectChange::SetPerson { id, roles, organizations } => {
            people::set(state, caller, origin, id, roles, organizations).await
        }
        ProjectChange::SetDisabled { id, disabled } => {
            people::set_disabled(state, caller, origin, id, disabled).await
        }
        ProjectChange::RemovePerson { id } => people::remove(state, caller, origin, id).await,
        ProjectChange::SaveRole { name, title, permissions, own_only } => {
            roles::save(state, caller, origin, name, title, permissions, !own_only).await
        }
        ProjectChange::DeleteRole { name } => roles::delete(state, caller, origin, &name).await,
        ProjectChange::CreateOrganization { name } => {
            project::create_organization(state, caller, origin, &name).await
        }
        ProjectChange::RenameOrganization { id, name } => {
            project::rename_organization(state, caller, origin, id, &name).await
        }
        ProjectChange::CreateApiKey { name, scopes, expires_in_days } => {
            keys::create(state, caller, origin, &name, scopes, expires_in_days).await
        }
        ProjectChange::RotateApiKey { id, overlap_hours } => {
            keys::rotate(state, caller, origin, id, overlap_hours).await
        }
        ProjectChange::DeleteApiKey { id } => keys::delete(state, caller, origin, id).await,
        ProjectChange::EndSession { id } => sessions::end(state, caller, origin, id).await,
        ProjectChange::EndOtherSessions => sessions::end_others(state, caller, origin).await,
        ProjectChange::RenameProject { name } => project::rename(state, caller, origin, &name).await,
        ProjectChange::EndConnection { id } => connections::end(state, caller, origin, id).await,
        ProjectChange::PublishEvent { channel_name, event_type, payload } => {
            channels::publish_text(state, caller, origin, &channel_name, &event_type, &payload).await
        }
        ProjectChange::SignToken { channel_name, subject } => {
            channels::sign_text(state, caller, &channel_name, &subject)
        }
        ProjectChange::CreateWebhook { url, description, types } => {
            let types =
                types.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
            let new = NewWebhook { url, description, types, permissions: None };
            webhooks::create(state, caller, origin, new).await
        }
        ProjectChange::SetWebhookEnabled { id, enabled } => {
            webhooks::set_enabled(state, caller, origin, id, enabled).await
        }
        ProjectChange::RotateWebhookSecret { id, overlap_hours } => {
            webhooks::rotate_secret(state, caller, origin, id, overlap_hours).await
        }
        ProjectChange::DeleteWebhook { id } => webhooks::delete(state, caller, origin, id).await,
        ProjectChange::TestWebhook { id } => webhooks::send_test(state, caller, origin, id).await,
        ProjectChange::ResendDelivery { webhook_id, id } => {
            webhooks::resend(state, caller, origin, webhook_id, id).await
        }
        ProjectChange::SaveNotificationRule { id, expected_version, rule } => {
            rules::save(state, caller, origin, id, expected_version, &rule).await
        }
        ProjectChange::SetNotificationRuleEnabled { id, enabled } => {
            rules::set_enabled(state, caller, origin, id, enabled).await
        }
        ProjectChange::DeleteNotificationRule { id } => rules::delete(state, caller, origin, id).await,
        ProjectChange::RetryJob { id } => jobs::retry(state, caller, origin, id).await.map(|job| Changed {
            id: job.id.to_string(),
            message: "The job is done again.".to_owned(),
            secret: None,
        }),
        ProjectChange::CancelJob { id } => jobs::cancel(state, caller, origin, id).await.map(|job| Changed {
            id: job.id.to_string(),
            message: match job.state.is_final() {
                true => "The job is called off.".to_owned(),
                false => "The job is told to stop.".to_owned(),
            },
            secret: None,
        }),
        ProjectChange::RetryJobs { state: of, queue, kind } => {
            let many = ManyJobs { state: of, queue, kind };
            jobs::retry_many(state, caller, origin, &many, true)
                .await
                .map(|moved| told_of(moved, "done again"))
        }
        ProjectChange::CancelJobs { state: of, queue, kind } => {
            let many = ManyJobs { state: of, queue, kind };
            jobs::cancel_many(state, caller, origin, &many, true)
                .await
                .map(|moved| told_of(moved, "called off"))
        }
        ProjectChange::RunWitness => witness::run(state, caller, origin).await,
    }
}

/// What came of a move of many jobs, for people.
fn told_of(moved: ManyJobsMoved, what: &str) -> Changed {
    let jobs = match moved.jobs {
        1 => "1 job is".to_owned(),
        jobs => format!("{} jobs are", format::count(jobs)),
    };
    let more = if moved.more { " There are more: do it once again." } else { "" };
    Changed { id: String::new(), message: format!("{jobs} {what}.{more}"), secret: None }
}
