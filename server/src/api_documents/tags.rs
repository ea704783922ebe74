//! The groups of operations, in the order in which they are shown.

/// Each group with what it is about.
pub(super) const TAGS: &[(&str, &str)] = &[
    ("Events", "The stream of what happened, pages of it, single events, and the explorer's search."),
    ("Subscriptions", "Durable subscriptions: consumers that say what they have done."),
    ("Publishing", "What services call to publish events and to let their users into private channels."),
    ("Connections", "Who is connected, and who listens to which channel."),
    ("Webhooks", "Endpoints outside that are told of events, and how that went."),
    ("Notifications", "One's own inbox, settings, Web Push and the embeddable bell."),
    ("Notification rules", "Rules that turn events into notifications, and what became of those."),
    ("Authentication", "Access tokens for people who use the API, sessions and passwords."),
    ("People and roles", "The project, its people, invitations, roles and organizations."),
    ("API keys", "Keys of services: made, rotated, deleted."),
    ("Jobs", "What is done behind requests, how far it is, and what went wrong."),
    ("Audit", "Who changed what."),
    ("Witness", "Whether tables and events say the same."),
    ("System", "How Tidewatch itself does."),
    ("Health", "What load balancers and Prometheus ask."),
    ("Documents", "The descriptions of this API."),
];
