//! The server as its clients see it: real Postgres, real sockets, a folder of tests that mirrors the
//! URL tree.

mod access_changes;
mod access_matrix;
mod access_rules;
mod api_access;
mod api_auth;
mod api_bad_input;
mod api_channels;
mod api_connections;
mod api_events;
mod api_events_order;
mod api_events_sockets;
mod api_events_strength;
mod api_events_visibility;
mod api_jobs;
mod api_publishers;
mod api_settlements;
mod api_subscriptions;
mod api_webhooks;
mod api_webhooks_access;
mod api_webhooks_dispatch;
mod api_webhooks_failing;
mod command_line;
mod health;
mod login;
mod sdk;
mod support;
mod webhook_receiver;
