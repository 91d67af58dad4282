using System.Runtime.CompilerServices;

// The contract's abstract members speak of internal types; the inheriting classes live there.
[assembly: InternalsVisibleTo("Lb.Transport.Tests")]
