"""The HTTPS function for clients and operators: services, availability, bookings; resources, connections, calendars."""
