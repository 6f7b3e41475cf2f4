"""The HTTPS function that Google's push notifications reach. Stateless: it checks the channel's token and leaves a task behind."""
