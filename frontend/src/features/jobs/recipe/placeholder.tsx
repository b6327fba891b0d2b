// The icon shown without a thumbnail: a framed picture.

export function Placeholder() {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M4 5h16v14H4zm0 11 5-5 4 4 3-3 4 4M15.500 9h.01" />
    </svg>
  );
}
