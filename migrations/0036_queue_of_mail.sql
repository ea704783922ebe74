-- E-mail has a queue of its own, where what waits for its turn is taken by priority. What waits in the one before, which
-- is that of pushes now, goes along; what the release before adds to it yet is done there.
update jobs set queue = 'mail'
where queue = 'outside' and kind in ('notification.mail', 'notification.mail_digest')
  and state in ('scheduled', 'waiting');
