"""The techniques of the post by Hans Brouwer that this project realises, each as a short clip."""
