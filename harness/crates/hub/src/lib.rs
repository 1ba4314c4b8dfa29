//! Files of model hubs: where they are on disk, and how they get there.
