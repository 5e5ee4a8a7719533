"""Time and frequency: spectra, separation, pitches and onsets, from which every other feature is computed."""
