"""The image's steps carried out in trees of folders, where there is no container engine."""
